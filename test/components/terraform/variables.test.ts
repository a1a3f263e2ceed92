import {expect, test} from 'vitest';
import {withTerraform} from '../../tools/terraform/support.ts';
import {type ProjectOptions, project} from './support.ts';

/** A module that Terraform was never in, and whose provider nobody has: what is said of it was told without `init`. */
const main = `terraform {
  required_providers {
    none = {
      source = "example.invalid/no/such"
    }
  }
}
`;
const variables = `variable "image_tag" {
  type = string # the version
}
variable "region" {
  description = "it's where, and \\"how\\" {"
  default     = "us-east-1"
}
`;
const files = {'ci/main.tf': main, 'ci/variables.tf': variables, 'ci/terraform.tfvars': 'image_tag = "0.7.1"\n'};
const settings = {set: {image_tag: '${version}'}};

interface Bad extends Partial<ProjectOptions> {
  readonly name: string;
  readonly found: string;
  readonly next: string;
}

withTerraform('Variables, before anything is built and without init', () => {
  test('that are as they should be pass', async () => {
    const app = await project({files: {...files, 'ci/zz.auto.tfvars': 'region = "us-west-2"\n'}, settings});
    expect(await app.require('module')).toMatchObject({status: 'passed', found: 'workspace default'});
  });

  test.for<Bad>([
    {
      name: 'misspelt in the config file',
      settings: {set: {image_tga: '${version}'}},
      found: 'components.service.set names `image_tga`, which the module does not declare',
      next: 'The module declares `image_tag`, `region`.',
    },
    {
      name: 'misspelt in the tfvars file',
      files: {...files, 'ci/terraform.tfvars': 'image_tag = "0.7.1"\nregoin = "x"\n'},
      found: 'terraform.tfvars sets `regoin`, which the module does not declare',
      next: 'Correct the name in terraform.tfvars, or declare the variable in the module.',
    },
    {
      name: 'misspelt in a file that Terraform loads by itself',
      files: {...files, 'ci/a.auto.tfvars.json': '{"regoin": "x"}'},
      found: 'a.auto.tfvars.json sets `regoin`',
      next: 'Correct the name in a.auto.tfvars.json',
    },
    {
      name: 'that a later file sets too, although no release sets it: it would win by hand, and lose here',
      files: {...files, 'ci/terraform.tfvars': 'image_tag = "1"\nregion = "a"\n', 'ci/x.auto.tfvars': 'region = "b"\n'},
      found: 'x.auto.tfvars sets region too: whoever runs terraform by hand gets that value',
      next: 'Take region out of x.auto.tfvars.',
    },
    {
      name: 'that terraform.tfvars.json sets too',
      files: {...files, 'ci/terraform.tfvars.json': '{"image_tag": "0.6.0"}'},
      found: 'terraform.tfvars.json sets image_tag too',
      next: 'Take image_tag out of terraform.tfvars.json.',
    },
    {
      name: 'that are numbers',
      files: {...files, 'ci/variables.tf': 'variable "image_tag" { type = number }\n'},
      found: 'the module declares `image_tag` as a number: Terraform would read 1.10 as 1.1',
      next: 'Declare it as a string.',
    },
    {
      name: 'that nothing sets',
      files: {...files, 'ci/more.tf.json': '{"variable": {"password": {"sensitive": true}}}'},
      found: 'nothing sets `password`, and the module has no default',
      next: 'name it in components.service.fromEnv and set TF_VAR_password',
    },
    {
      name: 'that the environment sets, which nobody has allowed',
      files: {...files, 'ci/more.tf.json': '{"variable": [{"password": [{"sensitive": true}]}]}'},
      env: {TF_VAR_password: 'x'},
      found: 'nothing sets `password`',
      next: 'TF_VAR_password is set, and only passed on when components.service.fromEnv names password.',
    },
  ])('$name: an error', async ({found, next, ...more}) => {
    const app = await project({files, settings, ...more});
    const check = await app.require('module');
    expect(check).toMatchObject({status: 'failed', found: expect.stringContaining(found), next: expect.stringContaining(next)});
  });

  test('of a module that cannot be read are left to Terraform, which says why', async () => {
    const app = await project({files: {...files, 'ci/broken.tf': 'variable "x {\n'}, settings});
    // It is initialised as far as anybody can tell, so the rehearsal comes.
    await expect(app.require('module')).rejects.toThrow(/broken\.tf/);
  });

  test('are not looked at where an earlier apply could not save the state', async () => {
    const app = await project({files: {...files, 'ci/errored.tfstate': '{}'}, settings});
    expect(await app.require('module')).toMatchObject({
      status: 'failed',
      found: expect.stringContaining('an earlier apply could not save the state'),
      next: expect.stringContaining('terraform state push errored.tfstate'),
    });
  });
});
