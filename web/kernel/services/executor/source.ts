// Where a run's manifest, code and input come from: the ledger and the blocks, with what was fetched lately kept.
import { concatBytes } from '../../lib/bytes.ts';
import type { JobId, ObjectId } from '../../lib/ids.ts';
import { FaultError, unwrap } from '../../lib/outcome.ts';
import { slowLineMsMax } from '../../limits.ts';
import { parse } from '../../lib/parse.ts';
import { decodeWire } from '../../lib/wire-codec.ts';
import type { executorContract } from '../../protocol/contracts/executor.ts';
import { blocksContract } from '../../protocol/contracts/blocks.ts';
import { ledgerContract } from '../../protocol/contracts/ledger.ts';
import { jobManifestSchema, type InputPart, type JobManifest } from '../../protocol/job-manifest.ts';
import type { ObjectManifest } from '../../protocol/object.ts';
import type { ServiceContext } from '../../service.ts';
import { BoundedCache } from './bounded-cache.ts';
import type { Range } from '../../protocol/schemas.ts';
import type { SegmentReader } from './inputs.ts';

const jobsKeptMax = 16;
const objectsKeptMax = 32;
const codeBytesMax = 16 * 1024 * 1024;
const codeBytesKeptMax = 32 * 1024 * 1024;
const segmentBytesKeptMax = 32 * 1024 * 1024;

export class Source {
  readonly #jobs = new BoundedCache<JobId, JobManifest>(jobsKeptMax, () => 1);
  readonly #objects = new BoundedCache<ObjectId, ObjectManifest>(objectsKeptMax, () => 1);
  /** By object and hash. */
  readonly #codes = new BoundedCache<string, Uint8Array>(codeBytesKeptMax, (code) => code.length);
  readonly #segments = new BoundedCache<string, Uint8Array>(segmentBytesKeptMax, (segment) => segment.length);

  constructor(private readonly context: ServiceContext<typeof executorContract>) {}

  /** @throws FaultError */
  job(job: JobId): Promise<JobManifest> {
    return this.#jobs.get(job, async () => {
      const { body } = unwrap(await this.context.ask(ledgerContract, 'jobs', 'get', { job }));
      const parsed = parse(jobManifestSchema, decodeWire(body.bytes));
      if (!parsed.success) throw new FaultError('malformed', "The job's manifest cannot be read.");
      return parsed.output;
    });
  }

  /**
   * The parts of the input that `range` lies in, as the ledger here knows them now. Asked anew for each run: an open job grows, and of
   * two appends at once another may count tomorrow. @throws FaultError, 'not-found' where some of the input has not come yet
   */
  async parts(job: JobId, manifest: JobManifest, [from, end]: Range): Promise<readonly InputPart[]> {
    if (manifest.open !== true) return [{ part: null, first: 0, input: manifest.input }];
    const { parts, items } = unwrap(await this.context.ask(ledgerContract, 'parts', 'query', { job, from, end })).body;
    if (end > items) throw new FaultError('not-found', "Some of the job's input is not known here yet.");
    return parts;
  }

  /** The UTF-8 of a module. @throws FaultError, also where it is not the one that the job names: that is what receipts, reports and the deny list go by */
  code({ code: object, codeHash }: Pick<JobManifest, 'code' | 'codeHash'>): Promise<Uint8Array> {
    return this.#codes.get(`${object} ${codeHash}`, async () => {
      const { size, segments } = await this.#object(object);
      if (segments[0]?.hash !== codeHash) throw new FaultError('refused', 'The code is not the one that the job names, so it is not run.');
      if (size > codeBytesMax) throw new FaultError('too-large', `The code is larger than ${codeBytesMax / 2 ** 20} MiB.`);
      const parts: Uint8Array[] = [];
      for (let i = 0; i < segments.length; i++) parts.push(await this.#fetchSegment(object, i));
      return concatBytes(parts);
    });
  }

  /** @throws FaultError, also of what is returned */
  reader(object: ObjectId): SegmentReader {
    return {
      segment: (index) => this.#segments.get(`${object}/${index}`, () => this.#fetchSegment(object, index)),
      sizes: async () => (await this.#object(object)).segments.map((segment) => segment.size),
    };
  }

  forget(): void {
    this.#codes.clear();
    this.#segments.clear();
  }

  #object(object: ObjectId): Promise<ObjectManifest> {
    return this.#objects.get(object, async () => {
      const answer = unwrap(await this.context.ask(blocksContract, 'objects', 'get', { id: object }, { timeoutMs: slowLineMsMax }));
      return answer.body.manifest;
    });
  }

  async #fetchSegment(object: ObjectId, segment: number): Promise<Uint8Array> {
    const answer = unwrap(await this.context.ask(blocksContract, 'segments', 'get', { object, segment }, { timeoutMs: slowLineMsMax }));
    const bytes = answer.buffers[answer.body.data];
    if (bytes === undefined) throw new FaultError('malformed', 'The segment came without its bytes.');
    return bytes;
  }
}
