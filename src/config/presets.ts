/** Whole config files to start from: the two systems that deploy-wizard was made for. Names and accounts are made up. */

const pass = `# PASS: a message makes the core application redeploy itself; two ECS services and three loaders follow, all on one version.
# Put your own names in; \`deploy-wizard doctor\` says what is not there, \`deploy-wizard schema\` what else may stand here.
application: pass
# store: s3://my-bucket/pass                                  # where the records are; for teams and CI a bucket

environments:
  staging:
    aws: { accountId: "222222222222", region: us-east-1, profile: staging }
    values: { deployEnv: Staging, cluster: pass-staging, url: "https://pass-staging.example.edu" } # for \${values.…} below
    policy: { allow: [update, trigger] }                      # what --yes may approve here; people see and confirm
  production:
    aws: { accountId: "333333333333", region: us-east-1, profile: prod }
    # login: [chopaws] in \`aws\` is the command that gets new credentials
    values: { deployEnv: Production, cluster: pass, url: "https://pass.example.edu" }
    requires: [{ env: staging, ticks: [acceptance], for: 24h }] # only what was verified there for a day, and accepted
    onFailure: leave                                          # what --yes does then: leave, rollback, or rollback-all

registries:
  ecr: { kind: ecr, copyFrom: ghcr.io/eclipse-pass }          # ecr/<name> below; what is missing is copied from there

components:
  pass-core:
    kind: sns-trigger
    topic: pass-deploy                                        # name or ARN
    images: [ecr/pass-core, ecr/pass-ui]                      # must be there before anything is published
    message: { action: DeployStart, commitRef: "\${version}", deployEnv: "\${values.deployEnv}", imageTag: "\${version}" }
    verify: { http: "\${values.url}/version", expect: "\${version}", within: 10m } # or: verify: none
  deposit-services:
    kind: ecs-service
    cluster: "\${values.cluster}"
    service: deposit-services
    images: { deposit-services-core: ecr/deposit-services-core } # container: image; the tag is the version
    needs: [pass-core]                                        # begins when that one is verified
  notification-services:
    kind: ecs-service
    cluster: "\${values.cluster}"
    service: notification
    images: { notification: ecr/pass-notification-service }
    needs: [pass-core]
  grant-loader:
    kind: batch-job-definition
    jobDefinition: jhu-grant-loader
    images: { default: ecr/jhu-grant-loader }
    targets: [{ stateMachine: grant-load }]                   # what starts it: moved to the new revision
    needs: [pass-core]
  journal-loader:
    kind: ecs-scheduled-task
    family: pass-journal-loader
    images: { loader: ecr/pass-journal-loader }
    targets: [{ schedule: default/journal }]                  # EventBridge Scheduler; { rule: name } for a rule
    needs: [pass-core]
  nihms-loader:
    kind: batch-job-definition
    jobDefinition: pass-nihms-loader
    images: { default: ecr/pass-nihms-loader }
    targets: [{ rule: nihms-weekly }]
    needs: [pass-core]

checklist:                                                    # what people do; \`deploy-wizard tick <id>\` says that it is done
  - { id: release-notes, when: before, text: "Release notes merged" }
  - { id: acceptance, when: after, text: "Acceptance tests run against the tag" }
`;

const cookbook = `# A Python application that is built here, pushed, and run by an EC2 instance that Terraform replaces for every version.
# Put your own names in; \`deploy-wizard doctor\` says what is not there, \`deploy-wizard schema\` what else may stand here.
application: data-models-sqlalchemy

environments:
  production:
    aws: { region: us-east-1 }
    # profile: saml and login: [chopaws] in \`aws\` say which credentials, and how to get new ones
    policy: { allow: [update, outage] }                       # what --yes may approve here; people see and confirm

components:
  service:
    kind: terraform
    directory: ci                                             # of the root module, relative to this file
    tfvars: terraform.tfvars                                  # edited when the plan is approved
    set: { image_tag: "\${version}" }                          # the variable that holds the version
    allowChanges: [aws_instance.default, aws_alb_target_group_attachment.default] # anything else needs --allow unlisted
    source:
      version: dmsa/__init__.py                               # where the version is counted up
      build: { context: ., image: dbhi/data-models-sqlalchemy } # the tag is the version
      git: { commit: true, tag: "\${version}" }                # of the bump; push: true pushes them once all is verified
    verify: { http: "https://data-models-sqlalchemy.example.edu/", within: 5m }
`;

export const presets = {pass, cookbook} as const;
export type Preset = keyof typeof presets;
