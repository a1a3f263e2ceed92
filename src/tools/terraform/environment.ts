import type {Environment} from '../exec.ts';

/** Set for every command: no questions, no "to apply, run …" advice, no call home. */
const always = {TF_IN_AUTOMATION: '1', TF_INPUT: '0', CHECKPOINT_DISABLE: '1'} as const;

/**
 * What changes the meaning of a command behind its back (facts/terraform.md 1.7): `TF_CLI_ARGS_plan=-destroy` makes every plan a
 * destroy plan, a misspelt `TF_WORKSPACE` makes a new and empty workspace, and a log level writes values into our output.
 */
const hazards: readonly RegExp[] = [/^TF_CLI_ARGS/, /^TF_WORKSPACE$/, /^TF_LOG/, /^TF_INPUT$/];

const variable = /^TF_VAR_(?<name>.+)$/;

export interface TerraformEnvironment {
  readonly env: Environment;
  /** The names of what was set and is not passed on, sorted. Never values: a `TF_VAR_` may be a password. */
  readonly dropped: readonly string[];
}

/**
 * The environment that Terraform gets. `keepVars` are the input variables (without `TF_VAR_`) that may be set through the
 * environment; any other would win over a default without anybody seeing it.
 *
 * Kept, since they say where things are and who asks, and not what to do: TF_PLUGIN_CACHE_DIR, TF_DATA_DIR, TF_CLI_CONFIG_FILE,
 * TF_REGISTRY_*, TF_TOKEN_*, and whatever providers read.
 */
export function terraformEnvironment(env: Environment, keepVars: readonly string[] = []): TerraformEnvironment {
  const isHazard = (name: string) => {
    const input = variable.exec(name)?.groups?.['name'];
    return input === undefined ? hazards.some(hazard => hazard.test(name)) : !keepVars.includes(input);
  };
  // Terraform reads an empty variable as one that is not there: nothing is lost with it, so nothing is said.
  const set = Object.entries(env).filter(([, value]) => value !== undefined && value !== '');
  const dropped = set.filter(([name, value]) => isHazard(name) && !(name === 'TF_INPUT' && value === always.TF_INPUT));
  return {
    env: {...Object.fromEntries(Object.entries(env).filter(([name]) => !isHazard(name))), ...always},
    dropped: dropped.map(([name]) => name).sort(),
  };
}
