/** What the kinds reach the world through. Made for one job of one run; the engine only hands it on. */
import type {JobIo} from '../release/contract.ts';
import type {Json} from '../release/json.ts';
import type {Flag} from '../release/words.ts';
import type {Aws} from '../tools/aws/index.ts';
import type {Docker} from '../tools/docker.ts';
import type {Git} from '../tools/git.ts';
import type {probe} from '../tools/http.ts';
import type {Copied, CopySinks, Registry} from '../tools/registry.ts';
import type {Terraform} from '../tools/terraform/terraform.ts';
import type {Meter} from './downtime.ts';

/** A registry's user and password. */
export interface Login {
  readonly username: string;
  readonly password: string;
}

/** The environment that a run works on, as the config names it. */
export interface Place {
  readonly name: string;
  readonly accountId: string | undefined;
  readonly region: string | undefined;
  /** Whose credentials are used; undefined where the environment variables bring their own, which win. */
  readonly profile: string | undefined;
  readonly login: readonly string[] | undefined;
  /** Whether the config says anything of AWS for it. */
  readonly usesAws: boolean;
  /** How long anything may be down while it is released, in milliseconds. */
  readonly maxDowntime: number | undefined;
}

export interface Io extends JobIo {
  /** The component that the job is of; `*` for the release as a whole. */
  readonly component: string;
  readonly place: Place;
  readonly application: string;
  /** The version that the settings were bound with. */
  readonly version: string;
  /** The component's settings as the config file has them, bound with another version: for the way back. */
  settings(version: string): Json;
  /**
   * The newest change of this component that the records saw begun and never saw to its end; undefined where there is none. What is
   * there now may be neither the old nor the new.
   */
  unfinished(): Promise<UnfinishedChange | undefined>;
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
  /** The environment that tools are given. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What Terraform is given of it, before it is sanitised. */
  readonly terraformEnv: Readonly<Record<string, string | undefined>>;
  readonly supervisor: {readonly node: string; readonly script: string};
  /** The image that a setting names, with this run's account and region filled in. */
  image(setting: string, tag: string): Promise<Image>;
  /** The tags that are in the repository of such a setting, in no order, and when they were pushed (ISO 8601), where that is told. */
  tagsOf(setting: string): Promise<readonly {readonly tag: string; readonly pushedAt: string | undefined}[]>;
  /** Whether this component is the one that copies the image, where it has to be copied: the first that asks is. */
  copiesImage(setting: string): boolean;
  /** The digest that a whole image name (`host/repository:tag`) stands for now; undefined where there is no such tag. */
  digestOf(uri: string): Promise<string | undefined>;
  /**
   * Asks a person for a registry's user and password; undefined where nobody can be asked, or nothing was given. The
   * answer is no event: it is on no screen, in no log and no record.
   */
  askLogin(host: string): Promise<Login | undefined>;
  /** From now on hidden on every screen, in every log and record. */
  learnSecret(secret: string): void;
  /** How long the last release to this environment took, in milliseconds; undefined when there was none. */
  readonly lastDuration: number | undefined;
  /** How long the component was down in the last releases to this environment, in milliseconds, newest first. */
  readonly lastDowntimes: readonly number[];
  /** How long it is down in this one. */
  readonly meter: Meter;
  /** Aborted when a person has typed the word for a second interrupt: what runs is to end at once, whatever that costs. */
  readonly forced: AbortSignal;
  /** Aborted when nobody waits any more for what was interrupted: it is left to end on its own. */
  readonly left: AbortSignal;
  /** Whether a flag let this through, for every component or for this one. */
  allows(flag: Flag, component: string): boolean;
  /** A person is asked, and sees the plan before saying yes. */
  readonly attended: boolean;
  /** What the last run did for this very version without ever proving it, as `component/step`. */
  readonly unproven: ReadonlySet<string>;
  /** The commits that this process has made, whichever component they are of: they may share a repository. */
  readonly madeCommits: Set<string>;
  /** Nothing may be written, not even a lock or a cache. */
  readonly readOnly: boolean;
}

/** A change that was begun: the kind's own plan of it, and what was there before. */
export interface UnfinishedChange {
  /** The version that it led to. */
  readonly version: string;
  readonly payload: Json;
  readonly before?: {readonly version: string | undefined; readonly state: Json};
}

/** An image by name and tag, and where its digest is asked for. */
export interface Image {
  /** As a task definition or `docker pull` has it: `host/repository:tag`. */
  readonly uri: string;
  readonly tag: string;
  /** The repository's name for people. */
  readonly repository: string;
  /** Whether it is in the account's ECR. */
  readonly inEcr: boolean;
  /** Where it is copied from when the tag is not there. */
  readonly source?: ImageSource;
  /** Asks the registry; undefined when the tag is not there. */
  digest(): Promise<{readonly digest: string; readonly usable: boolean; readonly status: string} | undefined>;
}

/** The same image elsewhere. */
export interface ImageSource {
  /** `host/repository:tag` */
  readonly uri: string;
  /** Undefined when the tag is not there either. */
  digest(): Promise<string | undefined>;
  /** Copies it, with all its platforms, digest kept. Throws LostAnswerError when nobody knows whether the tag was set. */
  copy(digest: string, sinks: CopySinks): Promise<Copied>;
}
