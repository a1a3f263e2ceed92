/** What somebody is told of a release by a webhook: as Slack and its likes take it, and as JSON for programs. */
import type {EventOf, TimedEvent} from '../release/events.ts';
import {clean} from './text.ts';

/** `finished`: well; `failed`: any other way. */
export type NotificationKind = 'started' | 'approved' | 'failed' | 'finished';

/** What is told, whatever the form. The same in JSON. */
export interface Notification {
  readonly schema: 1;
  readonly event: NotificationKind;
  readonly application: string;
  readonly environment: string;
  readonly version: string;
  readonly run: string;
  readonly kind: 'release' | 'rollback' | 'adopt';
  /** `user@host` of whoever started it. */
  readonly by: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** One line for people. */
  readonly text: string;
  /** At the end of a run. */
  readonly outcome?: string;
  readonly exitCode?: number;
  readonly components?: readonly {readonly component: string; readonly end: string; readonly note: string}[];
}

/** What an event is worth telling; undefined for most. */
export function notificationOf(started: EventOf<'run.started'>, event: TimedEvent): Notification | undefined {
  const {application, environment, version, run, kind = 'release', by} = started;
  const common = {schema: 1, application, environment, version, run, kind, by: `${by.user}@${by.host}`, at: event.at} as const;
  const what = `${application} ${version} → ${environment}`;
  if (event.type === 'run.started') return {...common, event: 'started', text: `${what}: ${kind} started by ${common.by}`};
  if (event.type === 'approval.given')
    return {...common, event: 'approved', text: `${what}: approved by ${event.by} (${event.covers.join(', ')})`};
  if (event.type !== 'run.finished') return undefined;
  const {outcome, exitCode, text} = event;
  const components = event.components.map(({component, end, note}) => ({component, end, note}));
  const end = exitCode === 0 ? 'finished' : 'failed';
  return {...common, event: end, text: `${what}: ${outcome}, ${text}`, outcome, exitCode, components};
}

/** `<!channel>`, `<https://…|text>` and `&` mean something there; in what others wrote they are to mean nothing. */
function slackText(text: string): string {
  return clean(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

export function bodyOf(notification: Notification, format: 'slack' | 'json'): string {
  return JSON.stringify(format === 'slack' ? {text: slackText(notification.text)} : notification);
}
