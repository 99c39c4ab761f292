// Knows identities and what each may do; asked before every registration, every inbound message and every job.
import { failure, success, type Outcome } from './lib/outcome.ts';
import type { IdentityId } from './lib/ids.ts';
import type { Caller } from './dispatcher.ts';
import type { Access } from './protocol/contract.ts';

export const capabilities = ['join', 'store', 'compute', 'submit', 'administer'] as const;
export type Capability = (typeof capabilities)[number];

const memberDefault: ReadonlySet<Capability> = new Set(['join', 'store', 'compute', 'submit']);

export class SecurityManager {
  readonly #granted = new Map<IdentityId, ReadonlySet<Capability>>();
  #shutOut: ReadonlySet<IdentityId> = new Set();

  constructor(private readonly self: IdentityId) {}

  /** Replaces what an identity may do; an empty list shuts it out. */
  grant(identity: IdentityId, allowed: readonly Capability[]): void {
    this.#granted.set(identity, new Set(allowed));
  }

  /** These, and no others any more, may take no part: those whom the operator of the site has denied. */
  shutOut(identities: readonly IdentityId[]): void {
    this.#shutOut = new Set(identities);
  }

  may(identity: IdentityId, capability: Capability): boolean {
    if (identity === this.self) return true;
    if (this.#shutOut.has(identity)) return false;
    return (this.#granted.get(identity) ?? memberDefault).has(capability);
  }

  /** Only this tab's own code registers services; the managers' names cannot be taken. */
  approveRegistration(by: Caller, preferred: string | undefined): Outcome<void> {
    if (!by.local) return failure('refused', 'Only this tab registers its services.');
    if (preferred !== undefined && by.kernel !== true && reservedNames.has(preferred))
      return failure('refused', `The name "${preferred}" belongs to the kernel.`);
    return success(undefined);
  }

  /** `access` is the operation's; a local caller is this tab itself. */
  approveMessage(from: Caller, access: Access): Outcome<void> {
    if (from.local) return success(undefined);
    if (access === 'local') return failure('refused', 'Only the tab itself may ask for this.');
    if (!this.may(from.identity, 'join')) return failure('refused', 'This identity may not take part here.');
    return success(undefined);
  }

  approveJob(submitter: IdentityId): Outcome<void> {
    return this.may(submitter, 'submit') ? success(undefined) : failure('refused', 'This identity may not submit jobs here.');
  }
}

const reservedNames: ReadonlySet<string> = new Set(['kernel', 'notify', 'self', 'group', 'uri', 'security', 'dispatcher', 'network']);
