// The submitter's settings (rule 10): each field is that of the highest (version, event id) that names it; cancel is absorbing.
import type { EventId, GroupId } from '../../lib/ids.ts';
import type { EventBody } from '../../protocol/event.ts';
import type { JobManifest } from '../../protocol/job-manifest.ts';

export type Setting = Extract<EventBody, { kind: 'setting' }>;

interface Stamped<T> {
  readonly version: number;
  readonly id: EventId | '';
  readonly value: T;
}

export class SettingsFold {
  #paused: Stamped<boolean> = { version: 0, id: '', value: false };
  #priority: Stamped<number>;
  #home: Stamped<GroupId>;
  #cancelled = false;
  #version = 0;
  #round = 0;

  constructor({ priority, home }: Pick<JobManifest, 'priority' | 'home'>) {
    this.#priority = { version: 0, id: '', value: priority };
    this.#home = { version: 0, id: '', value: home };
  }

  add(id: EventId, setting: Setting): void {
    const { version, paused, priority, home, cancelled, round } = setting;
    if (paused !== undefined) this.#paused = later(this.#paused, { version, id, value: paused });
    if (priority !== undefined) this.#priority = later(this.#priority, { version, id, value: priority });
    if (home !== undefined) this.#home = later(this.#home, { version, id, value: home });
    if (cancelled === true) this.#cancelled = true;
    this.#version = Math.max(this.#version, version);
    this.#round = Math.max(this.#round, round?.round ?? 0);
  }

  get paused(): boolean {
    return this.#paused.value;
  }

  get priority(): number {
    return this.#priority.value;
  }

  /** The group that sees to it that everything is run. */
  get home(): GroupId {
    return this.#home.value;
  }

  get cancelled(): boolean {
    return this.#cancelled;
  }

  /** The highest version seen: the next setting takes one more. */
  get version(): number {
    return this.#version;
  }

  /** The highest round opened for any item. */
  get round(): number {
    return this.#round;
  }
}

function later<T>(a: Stamped<T>, b: Stamped<T>): Stamped<T> {
  if (a.version !== b.version) return a.version > b.version ? a : b;
  return a.id > b.id ? a : b;
}
