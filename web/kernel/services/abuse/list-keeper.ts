// The deny list that counts in this tab: the newest that bears the operator's signature, kept over restarts.
import * as v from 'valibot';
import { decodeWire, encodeWire } from '../../lib/wire-codec.ts';
import type { IdentityId, PeerId } from '../../lib/ids.ts';
import type { Platform } from '../../platform.ts';
import { denyListStatement, readDenyList, signedDenyListSchema, type DenyList, type SignedDenyList } from '../../protocol/deny-list.ts';
import { refusedListsMax, type RefusedList } from '../../protocol/contracts/abuse.ts';

const key = 'abuse/list';

export class ListKeeper {
  #signed: SignedDenyList | undefined;
  #list: DenyList | undefined;
  #refused: readonly RefusedList[] = [];

  constructor(
    private readonly platform: Pick<Platform, 'signer' | 'storage' | 'clock' | 'report'>,
    private readonly operator: IdentityId,
  ) {}

  /** 0 where there is none. */
  get version(): number {
    return this.#list?.version ?? 0;
  }

  get list(): DenyList | undefined {
    return this.#list;
  }

  get signed(): SignedDenyList | undefined {
    return this.#signed;
  }

  get refused(): readonly RefusedList[] {
    return this.#refused;
  }

  /** What the store kept; another operator's counts no more. */
  async load(): Promise<void> {
    const kept = await this.platform.storage.get('meta', key);
    const parsed = v.safeParse(signedDenyListSchema, kept.ok && kept.value instanceof Uint8Array ? decodeWire(kept.value) : undefined);
    const list = parsed.success ? readDenyList(parsed.output.bytes) : undefined;
    if (!parsed.success || list === undefined || !(await this.#isSigned(parsed.output))) return;
    if (list.version <= this.version) return;
    this.#signed = parsed.output;
    this.#list = list;
  }

  /** A list from somebody (null: the server). True where it counts from now on; what is no newer, or not the operator's, is refused and named. */
  async offer(signed: SignedDenyList, by: PeerId | null): Promise<boolean> {
    const list = readDenyList(signed.bytes);
    if (list === undefined) return this.#refuse(by, 'It is no deny list.');
    if (!(await this.#isSigned(signed))) return this.#refuse(by, 'It is not signed by the operator of this site.');
    if (list.version === this.version) return false;
    if (list.version < this.version)
      return this.#refuse(by, `It is older than the one here: version ${list.version}, not ${this.version}.`);
    this.#signed = signed;
    this.#list = list;
    const written = await this.platform.storage.write([{ table: 'meta', key, value: encodeWire(signed) }]);
    if (!written.ok) this.platform.report('warning', 'The deny list could not be written down.', written.fault);
    return true;
  }

  #isSigned({ bytes, signature }: SignedDenyList): Promise<boolean> {
    return this.platform.signer.verify(this.operator, denyListStatement(bytes), signature);
  }

  #refuse(by: PeerId | null, why: string): false {
    this.platform.report('warning', `A deny list from ${by === null ? 'the server' : by.slice(0, 8)} was refused. ${why}`);
    this.#refused = [...this.#refused, { by, why, at: this.platform.clock.wall() }].slice(-refusedListsMax);
    return false;
  }
}
