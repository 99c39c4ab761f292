// Commits the results of a run (rule 5): the object first, acknowledged by its stores, then the event, acknowledged by members.
import { concatBytes, hexOf } from '../../lib/bytes.ts';
import type { EventId, IdentityId, JobId, ObjectId, RecordId } from '../../lib/ids.ts';
import { slicePacked } from '../../lib/packed.ts';
import { decodeResultBlob } from '../../lib/result-blob.ts';
import type { Outcome } from '../../lib/outcome.ts';
import { afterLifeMs, goneAfterMs, segmentBytes, segmentBytesMax } from '../../limits.ts';
import { blocksContract } from '../../protocol/contracts/blocks.ts';
import { ledgerContract } from '../../protocol/contracts/ledger.ts';
import { lendingContract } from '../../protocol/contracts/lending.ts';
import { membershipContract, type Member } from '../../protocol/contracts/membership.ts';
import type { EventBody } from '../../protocol/event.ts';
import type { JobManifest } from '../../protocol/job-manifest.ts';
import type { Range } from '../../protocol/schemas.ts';
import type { ServiceContext } from '../../service.ts';
import type { schedulerContract } from '../../protocol/contracts/scheduler.ts';
import { planEvents, type RoundPiece } from './commit-plan.ts';

const commitTriesMax = 3;
const retryAfterMs = 500;
const eventTimeoutMs = 15_000;
const storeTimeoutMs = 60_000;
/** The slowest line a result is still waited for, all its copies together; where nothing moves the blocks service gives up much sooner. */
const storeBytesPerMs = 10;
const segmentsPerPut = 64;
const homeTimeoutMs = 30_000;
/** Who does not answer for so long is not waited for any more, or is no member. */
const elsewhereMsMax = goneAfterMs + 5_000;
const inVainMs = 60_000;
/** Bridges are made anew within this. */
const homelessMsMax = 4_000;

export interface ResultPart {
  readonly range: Range;
  /** Of the input that the items were read from; null for the manifest's own. */
  readonly part: EventId | null;
  readonly failed: readonly Range[];
  readonly bytes: Uint8Array;
  readonly tookMs: number;
}

export class Committer {
  /** The mark of the team in whose name this tab gives. */
  team: string | null = null;
  /** Nobody took a result in all the time there was: until then the next ones are not waited for. */
  #inVainUntil = -Infinity;
  /** The same of a group at home that is out of reach. */
  #homeInVainUntil = -Infinity;

  constructor(private readonly context: ServiceContext<typeof schedulerContract>) {}

  /** Stores one result blob and announces the parts of it that lie in `pieces`. False where that could not be done: nothing is lost but time. */
  async commit(job: JobId, manifest: JobManifest, record: RecordId, part: ResultPart, pieces: readonly RoundPiece[]): Promise<boolean> {
    const blob = decodeResultBlob(part.bytes);
    if (blob === undefined) {
      this.context.platform.report('bug', 'the executor gave a result blob that is none');
      return false;
    }
    const events = planEvents(part.range, part.failed, pieces);
    if (events.length === 0) return true;
    const result = await this.#store(manifest, part);
    if (result === undefined) return false;
    await this.#sendHome(job, result);
    const items = part.range[1] - part.range[0];
    for (const { range, failed, round } of events) {
      const values = slicePacked(blob.values, range[0] - blob.first, range[1] - blob.first);
      const resultHash = await this.#hash(values.ends, values.bytes);
      const tookMs = (part.tookMs * (range[1] - range[0])) / items;
      const body: EventBody = {
        kind: 'computed',
        ...(part.part !== null && { part: part.part }),
        range: [...range],
        failed: failed.map((run) => [...run]),
        round,
        record,
        result,
        resultHash,
        tookMs,
        ...(this.team !== null && { team: this.team }),
      };
      if (!(await this.announce(job, body))) return false;
    }
    return true;
  }

  /**
   * Made for another group a result is kept there too before it is announced. Where it cannot be brought it is tried for a while, because the way there may
   * have been lost a moment ago and this group with it; where that group is cut off, results are announced here and come later.
   */
  async #sendHome(job: JobId, object: ObjectId): Promise<void> {
    const { clock } = this.context.platform;
    const until = clock.now() + homelessMsMax;
    for (;;) {
      const sent = await this.context.ask(lendingContract, 'results', 'insert', { job, object }, { timeoutMs: homeTimeoutMs });
      // A tab without lending makes results for its own group only.
      if (!sent.ok ? sent.fault.code === 'unknown-uri' : sent.value.body.kept) {
        this.#homeInVainUntil = -Infinity;
        return;
      }
      if (clock.now() < this.#homeInVainUntil) return;
      if (clock.now() >= until) {
        this.#homeInVainUntil = clock.now() + inVainMs;
        return;
      }
      await new Promise<void>((resolve) => void clock.after(retryAfterMs, resolve));
    }
  }

  /** True when the event is held by as many members as it needs. */
  async announce(job: JobId, body: EventBody): Promise<boolean> {
    const done = await this.#insist(() =>
      this.context.ask(ledgerContract, 'events', 'create', { job, body }, { timeoutMs: eventTimeoutMs }),
    );
    return done !== undefined;
  }

  async #store(manifest: JobManifest, part: ResultPart): Promise<ObjectId | undefined> {
    const step = part.bytes.length > segmentsPerPut * segmentBytes ? segmentBytesMax : segmentBytes;
    const buffers: Uint8Array[] = [];
    for (let at = 0; at < part.bytes.length; at += step) buffers.push(part.bytes.subarray(at, at + step));
    const request = {
      name: '',
      type: 'application/x-lull-results',
      expires: manifest.expires + afterLifeMs,
      owner: manifest.submitter,
      segments: buffers.map((_, i) => i),
    };
    const timeoutMs = storeTimeoutMs + part.bytes.length / storeBytesPerMs;
    const stored = await this.#insist(() => this.context.ask(blocksContract, 'objects', 'insert', request, { buffers, timeoutMs }));
    if (stored === undefined) return undefined;
    const { id, copies } = stored.body;
    return copies > 1 || (await this.#isHeld(id, manifest.submitter)) ? id : undefined;
  }

  /**
   * Whether a result may be announced: whoever learns of it counts on it, so where others keep data one store that has it may go for good.
   * Repair gives it to more as soon as they answer, and that is waited for where one is left that has no copy yet; its submitter keeps it
   * too. Where they do not take it one store has to do; what ends with this page, or went meanwhile, is announced only where nobody else
   * keeps anything, and not where it is not even here.
   */
  async #isHeld(object: ObjectId, submitter: IdentityId): Promise<boolean> {
    const { platform, self } = this.context;
    const { clock } = platform;
    const until = clock.now() + elsewhereMsMax;
    for (;;) {
      const found = await this.context.ask(blocksContract, 'objects', 'lookup', { id: object });
      const { held, k, heldHereBytes } = found.ok ? found.value.body : { held: 0, k: 1, heldHereBytes: 0 };
      if (held > k || (held === k && clock.now() < this.#inVainUntil)) return true;
      const view = await this.context.ask(membershipContract, 'members', 'query', {});
      const members = view.ok ? view.value.body.members : [];
      const keeps = ({ store, offer }: Member) => store !== null && offer?.storage.keeps === true;
      if (!members.some((member) => member.identity !== self.identity && keeps(member))) return held >= k || heldHereBytes > 0;
      const takes = (member: Member) => keeps(member) || (member.store !== null && member.identity === submitter);
      const takers = new Set(members.filter(takes).map(({ identity }) => identity));
      if (held >= k && held >= takers.size) return true;
      if (clock.now() < until) {
        await new Promise<void>((resolve) => void clock.after(retryAfterMs, resolve));
        continue;
      }
      this.#inVainUntil = clock.now() + inVainMs;
      if (held < k) platform.report('warning', 'A result could not be committed: no store that lasts has it.');
      return held >= k;
    }
  }

  /** The world's faults pass, mostly: a bounded number of tries, each later than the last. */
  async #insist<T>(attempt: () => Promise<Outcome<T>>): Promise<T | undefined> {
    for (let tries = 1; ; tries++) {
      const outcome = await attempt();
      if (outcome.ok) return outcome.value;
      const hopeless = ['refused', 'malformed', 'too-large', 'not-found', 'not-built'].includes(outcome.fault.code);
      if (hopeless || tries >= commitTriesMax) {
        this.context.platform.report('warning', `A result could not be committed: ${outcome.fault.message}`);
        return undefined;
      }
      await new Promise<void>((resolve) => void this.context.platform.clock.after(retryAfterMs * 2 ** (tries - 1), resolve));
    }
  }

  /** Hash of hashes, so that no large run is copied only to be hashed. */
  async #hash(ends: Uint32Array, bytes: Uint8Array): Promise<string> {
    const { digest } = this.context.platform;
    const [a, b] = [await digest.sha256(new Uint8Array(ends.buffer, ends.byteOffset, ends.byteLength)), await digest.sha256(bytes)];
    return hexOf(await digest.sha256(concatBytes([a, b])));
  }
}
