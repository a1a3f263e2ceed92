/** What the kinds reach the world through. Made for one job of one run; the engine only hands it on. */
import type {JobIo} from '../release/contract.ts';
import type {Flag} from '../release/model.ts';
import type {Aws} from '../tools/aws/index.ts';
import type {Docker} from '../tools/docker.ts';
import type {Git} from '../tools/git.ts';
import type {probe} from '../tools/http.ts';
import type {Registry} from '../tools/registry.ts';
import type {Terraform} from '../tools/terraform/terraform.ts';

/** The environment that a run works on, as the config names it. */
export interface Place {
  readonly name: string;
  readonly accountId: string | undefined;
  readonly region: string | undefined;
  readonly login: readonly string[] | undefined;
  /** Whether the config says anything of AWS for it. */
  readonly usesAws: boolean;
}

export interface Io extends JobIo {
  /** The component that the job is of; `*` for the release as a whole. */
  readonly component: string;
  readonly place: Place;
  readonly application: string;
  /** The version that the settings were bound with. */
  readonly version: string;
  /** Folder of the records: what is written there is no change of anything. */
  readonly records: string;
  /** Where the config file stands: relative paths start there. */
  readonly folder: string;
  /** A private folder (0700) for what must not be in the record: plan files, raw output. Made when first asked for. */
  scratch(): Promise<string>;
  readonly aws: Aws;
  readonly docker: Docker;
  readonly git: Git;
  readonly probe: typeof probe;
  readonly registry: Registry;
  readonly terraform: Terraform;
  /** What Terraform is given of the environment, before it is sanitised. */
  readonly terraformEnv: Readonly<Record<string, string | undefined>>;
  readonly supervisor: {readonly node: string; readonly script: string};
  /** The image that a setting names, with this run's account and region filled in. */
  image(setting: string, tag: string): Promise<Image>;
  /** The digest that a whole image name (`host/repository:tag`) stands for now; undefined where there is no such tag. */
  digestOf(uri: string): Promise<string | undefined>;
  /** From now on hidden on every screen, in every log and record. */
  learnSecret(secret: string): void;
  /** How long the last release to this environment took, in milliseconds; undefined when there was none. */
  readonly lastDuration: number | undefined;
  /** Whether a flag let this through, for every component or for this one. */
  allows(flag: Flag, component: string): boolean;
  /** A person is asked, and sees the plan before saying yes. */
  readonly attended: boolean;
  /** What the last run did for this very version without ever proving it, as `component/step`. */
  readonly unproven: ReadonlySet<string>;
  /** Nothing may be written, not even a lock or a cache. */
  readonly readOnly: boolean;
}

/** An image by name and tag, and where its digest is asked for. */
export interface Image {
  /** As a task definition or `docker pull` has it: `host/repository:tag`. */
  readonly uri: string;
  readonly tag: string;
  /** The repository's name for people. */
  readonly repository: string;
  /** Asks the registry; undefined when the tag is not there. */
  digest(): Promise<{readonly digest: string; readonly usable: boolean; readonly status: string} | undefined>;
}
