// Counters and gauges, written as Prometheus text.

type Labels = Readonly<Record<string, string>>;

/** Why a connection, a socket, a frame or a join was refused: the label of one counter. */
export type RefusalReason =
  | 'sockets-total'
  | 'sockets-address'
  | 'connections-address'
  | 'origin'
  | 'path'
  | 'handshake'
  | 'requests'
  | 'frames'
  | 'bytes'
  | 'binary'
  | 'frame-size'
  | 'malformed'
  | 'unsent'
  | 'half-open'
  | 'version'
  | 'forged'
  | 'taken'
  | 'overloaded'
  | 'too-late'
  | 'absent'
  | 'reports';

const counters = {
  lull_frames_total: 'WebSocket frames, by endpoint and direction.',
  lull_bytes_total: 'Bytes of WebSocket frames, by endpoint and direction.',
  lull_joins_total: 'Joins welcomed into a group.',
  lull_merges_total: 'Groups that were merged into another.',
  lull_splits_total: 'Groups that were split.',
  lull_refusals_total: 'What was refused or cut, by reason.',
  lull_reports_total: 'Reports of donors that were written down.',
  lull_http_requests_total: 'HTTP requests, by status.',
} as const;
export type CounterName = keyof typeof counters;

export class Metrics {
  readonly #counts = new Map<CounterName, Map<string, number>>();

  /** Label values come from the program, never from outside, so their number is bounded. */
  count(name: CounterName, labels: Labels = {}, by = 1): void {
    let series = this.#counts.get(name);
    if (series === undefined) this.#counts.set(name, (series = new Map()));
    const key = labelText(labels);
    series.set(key, (series.get(key) ?? 0) + by);
  }

  refused(reason: RefusalReason): void {
    this.count('lull_refusals_total', { reason });
  }

  /** Zero where it never happened. */
  counted(name: CounterName, labels: Labels = {}): number {
    return this.#counts.get(name)?.get(labelText(labels)) ?? 0;
  }

  /** @param gauges what is so now: [name, help, labels, value]; lines of one name stand together */
  text(gauges: readonly (readonly [name: string, help: string, labels: Labels, value: number])[]): string {
    const lines: string[] = [];
    for (const [name, help] of Object.entries(counters)) {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} counter`);
      for (const [labels, value] of this.#counts.get(name as CounterName) ?? []) lines.push(`${name}${labels} ${value}`);
    }
    let last = '';
    for (const [name, help, labels, value] of gauges) {
      if (name !== last) lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} gauge`);
      last = name;
      lines.push(`${name}${labelText(labels)} ${value}`);
    }
    return `${lines.join('\n')}\n`;
  }
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}
