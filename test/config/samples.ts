/** The two config files of design section 8, with what this version has not yet taken out and nothing else. */

export const passYaml = `application: pass
environments:
  staging:
    aws: { accountId: "222222222222", region: us-east-1, profile: staging }
    values: { deployEnv: Staging, cluster: pass-staging, url: "https://pass-staging.example.edu" }
    policy: { allow: [update, trigger] }
  production:
    aws: { accountId: "333333333333", region: us-east-1, profile: prod, login: [chopaws] }
    values: { deployEnv: Production, cluster: pass, url: "https://pass.example.edu" }
    onFailure: leave
registries:
  ecr: { kind: ecr }
components:
  pass-core:
    kind: sns-trigger
    topic: pass-deploy          # name or ARN
    images: [ecr/pass-core, ecr/pass-ui]                    # must be there before anything is published
    message: { action: DeployStart, commitRef: "\${version}", deployEnv: "\${values.deployEnv}", imageTag: "\${version}" }
    verify: { http: "\${values.url}/version", expect: "\${version}", within: 10m }
    revert: ask
  deposit-services:      { kind: ecs-service, cluster: "\${values.cluster}", service: deposit-services, images: { deposit-services-core: ecr/deposit-services-core }, needs: [pass-core] }
  notification-services: { kind: ecs-service, cluster: "\${values.cluster}", service: notification, images: { notification: ecr/pass-notification-service }, needs: [pass-core] }
  journal-loader: { kind: ecs-scheduled-task, family: pass-journal-loader, images: { loader: ecr/pass-journal-loader }, targets: [ { rule: journal-nightly } ], needs: [pass-core] }
checklist:
  - { id: acceptance, when: after, text: "Acceptance tests run against the tag" }
`;

export const cookbookYaml = `application: data-models-sqlalchemy
environments:
  production: { aws: { region: us-east-1, profile: saml, login: [chopaws] }, policy: { allow: [update, outage] } }
components:
  service:
    kind: terraform
    directory: ci
    workspace: default
    tfvars: terraform.tfvars
    set: { image_tag: "\${version}" }
    allowChanges: [aws_instance.default, aws_alb_target_group_attachment.default]
    source: { version: dmsa/__init__.py, build: { context: ., image: dbhi/data-models-sqlalchemy }, git: { commit: true, tag: "\${version}", push: false } }
    verify: { http: "https://data-models-sqlalchemy.example.edu/", within: 5m }
`;
