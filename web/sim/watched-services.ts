// The kernel's own services, each seen through a glass: requests, answers and publications are told to the watches on their way, and nothing is
// changed. What a planted bug changes lies underneath.
import type { IdentityId, PeerId, RecordId, StoreId } from '../kernel/lib/ids.ts';
import { blocksContract } from '../kernel/protocol/contracts/blocks.ts';
import type { ledgerContract } from '../kernel/protocol/contracts/ledger.ts';
import { membershipContract } from '../kernel/protocol/contracts/membership.ts';
import { queueContract } from '../kernel/protocol/contracts/queue.ts';
import { serviceCatalogue, type AnyServiceFactory, type ServiceCatalogue } from '../kernel/service-catalogue.ts';
import type { Call, Service, ServiceContext, ServiceFactory } from '../kernel/service.ts';
import type { Clock } from '../kernel/platform.ts';
import type { ForgeryWatch } from './forgery-watch.ts';
import type { LedgerWatch } from './ledger-watch.ts';
import type { QueueWatch, WatchedQueue } from './queue-watch.ts';

export interface Glass {
  readonly queue: QueueWatch;
  readonly ledger: LedgerWatch;
  readonly forgery: ForgeryWatch;
  readonly store: StoreId;
  readonly clock: Clock;
  readonly alive: () => boolean;
  /** Told the address of the tab as soon as it has one. */
  readonly named: (peer: PeerId) => void;
  /** The store that the peer speaks for. */
  readonly storeOf: (peer: PeerId) => StoreId | undefined;
  /** A planted bug's own making of a service; the kernel's where absent. */
  readonly plant?: (name: string, factory: AnyServiceFactory) => AnyServiceFactory;
}

export function watchedServices(glass: Glass): ServiceCatalogue {
  return new Map(
    [...serviceCatalogue].map(([name, factory]) => {
      const made = glass.plant?.(name, factory) ?? factory;
      if (name === 'queue') return [name, watchedQueue(made, glass)];
      if (name === 'blocks') return [name, watchedBlocks(made, glass)];
      return [name, name === 'ledger' ? watchedLedger(made, glass) : made];
    }),
  );
}

type Queue = typeof queueContract;

function watchedQueue(
  factory: ServiceFactory<Queue>,
  { queue: watch, forgery, store, clock, alive, named, storeOf }: Glass,
): ServiceFactory<Queue> {
  return (context): Service<Queue> => {
    named(context.self.peer);
    const known = new Map<PeerId, 'alive' | 'suspect'>();
    const seen = new Set<PeerId>();
    const publish: typeof context.publish = (publication, body) => {
      if ('forgeries' in body)
        forgery.named(
          context.self.peer,
          body.forgeries.filter(({ what }) => what === 'slice').map(({ identity }) => identity),
          'function',
        );
      context.publish(publication, body);
    };
    const service = factory({ ...context, publish, ask: watchedAsk(context, watch, forgery, storeOf) });
    const { handlers } = service;
    const self: WatchedQueue = {
      peer: context.self.peer,
      store,
      clock,
      alive,
      claims: () => (handlers.claims.query({}, localCall(context.self)) as { claims: [] }).claims,
    };
    watch.add(self);
    return {
      ...service,
      start: () => {
        context.watch(membershipContract, 'view', ({ members }) => {
          known.clear();
          for (const { peer, status } of members) {
            known.set(peer, status);
            seen.add(peer);
          }
        });
        return service.start();
      },
      stop: () => service.stop(),
      handlers: {
        ...handlers,
        records: {
          ...handlers.records,
          create: async (request, call) => {
            const answer = await handlers.records.create(request, call);
            if ('lineage' in answer) watch.appended(answer.lineage, answer.acknowledged, request.ranges);
            return answer;
          },
          delete: async (request, call) => {
            const owner = watch.ownerAt(self, request.record);
            const answer = await handlers.records.delete(request, call);
            watch.endedBy(self, request.record, call.from, request.fence, owner);
            return answer;
          },
        },
        locks: {
          create: async (request, call) => {
            const sinceMs = clock.now();
            // The holder decides now, or when it has read its store after a restart, and answers when it has written: what it heard meanwhile counts.
            const trusted = new Map(known);
            const trusts = (views: ReadonlyMap<PeerId, string>, peer: PeerId) => views.get(peer) === 'alive' || !seen.has(peer);
            const believed = (peer: PeerId) => trusts(trusted, peer) && trusts(known, peer);
            let answer;
            try {
              answer = await handlers.locks.create(request, call);
            } catch (error) {
              watch.forgotGrant(self, request.record);
              throw error;
            }
            if ('granted' in answer && answer.granted) watch.granted(self, request.record, call.from, answer.fence, sinceMs, believed);
            return answer;
          },
          update: async (request, call) => {
            const sinceMs = clock.now();
            const answer = await handlers.locks.update(request, call);
            if ('renewed' in answer) {
              for (const { record, fence } of request.locks)
                if (answer.renewed.includes(record)) watch.renewed(self, record, fence, sinceMs);
            }
            return answer;
          },
          delete: (request, call) => {
            for (const { record, fence } of request.locks) watch.released(self, record, call.from, fence);
            return handlers.locks.delete(request, call);
          },
        },
        claims: {
          ...handlers.claims,
          create: async (request, call) => {
            const answer = await handlers.claims.create(request, call);
            if ('claim' in answer && answer.claim !== null) {
              watch.claimed(self, answer.claim);
              forgery.owned(self.peer, answer.claim.record);
            }
            return answer;
          },
        },
      },
    };
  };
}

/** Each lock request is an operation of that record's history at that holder. */
function watchedAsk(
  context: ServiceContext<Queue>,
  watch: QueueWatch,
  forgery: ForgeryWatch,
  storeOf: Glass['storeOf'],
): ServiceContext<Queue>['ask'] {
  const by = context.self.peer;
  return async (contract, resource, verb, request, options) => {
    const store = storeOf(options?.peer === undefined || options.peer === 'self' ? by : (options.peer as PeerId));
    if (contract.name !== queueContract.name || store === undefined) return context.ask(contract, resource, verb, request, options);
    const own = <R>(value: unknown) => value as R;
    switch (`${resource} ${verb}`) {
      case 'locks create': {
        const { record } = own<{ record: RecordId }>(request);
        const asked = watch.asked(store, record, { kind: 'lock', by, fence: null });
        const reply = await context.ask(contract, resource, verb, request, options);
        const body = reply.ok ? own<{ granted: boolean; fence: number; why?: string }>(reply.value.body) : undefined;
        if (body?.granted === true) forgery.granted(by, options?.peer as PeerId | undefined, record);
        if (body?.granted === true) watch.answered(asked, { kind: 'lock', by, fence: body.fence });
        // Decided while the grant was written: it may have been given, and nobody told of it.
        else if ((body?.granted === false && body.why !== 'decided') || (!reply.ok && reply.fault.code === 'overloaded'))
          watch.refused(store, record, asked);
        return reply;
      }
      case 'locks update': {
        const { locks } = own<{ locks: readonly FencedRecord[] }>(request);
        const asked = locks.map(({ record, fence }) => ({
          record,
          fence,
          asked: watch.asked(store, record, { kind: 'renewed', by, fence }),
        }));
        const reply = await context.ask(contract, resource, verb, request, options);
        const renewed = reply.ok ? own<{ renewed: readonly RecordId[] }>(reply.value.body).renewed : [];
        for (const { record, fence, asked: one } of asked) {
          if (renewed.includes(record)) watch.answered(one, { kind: 'renewed', by, fence });
          else watch.refused(store, record, one);
        }
        return reply;
      }
      case 'locks delete': {
        const { locks } = own<{ locks: readonly FencedRecord[] }>(request);
        const asked = locks.map(({ record, fence }) => watch.asked(store, record, { kind: 'released', by, fence }));
        const reply = await context.ask(contract, resource, verb, request, options);
        if (reply.ok) for (const one of asked) watch.answered(one, one.op);
        return reply;
      }
      case 'records delete': {
        const { record, fence } = own<FencedRecord>(request);
        const asked = watch.asked(store, record, { kind: 'end', by, fence, answer: null });
        const reply = await context.ask(contract, resource, verb, request, options);
        if (reply.ok) watch.answered(asked, { kind: 'end', by, fence, answer: 'ended' });
        else if (reply.fault.code === 'conflict') watch.answered(asked, { kind: 'end', by, fence, answer: 'conflict' });
        return reply;
      }
      default:
        return context.ask(contract, resource, verb, request, options);
    }
  };
}

interface FencedRecord {
  readonly record: RecordId;
  readonly fence: number;
}

/** Each slice that is read from another is told, and each forger named. */
function watchedBlocks(factory: ServiceFactory<typeof blocksContract>, { forgery }: Glass): ServiceFactory<typeof blocksContract> {
  return (context) => {
    const by = context.self.peer;
    const ask: typeof context.ask = async (contract, resource, verb, request, options) => {
      const reply = await context.ask(contract, resource, verb, request, options);
      if (contract.name === blocksContract.name && `${resource} ${verb}` === 'slices get' && reply.ok)
        forgery.received(by, options?.peer, (request as { hash: string }).hash);
      return reply;
    };
    const publish: typeof context.publish = (publication, body) => {
      const { forgers } = body as { forgers?: readonly { identity: IdentityId }[] };
      if (forgers !== undefined)
        forgery.named(
          by,
          forgers.map(({ identity }) => identity),
          'object',
        );
      context.publish(publication, body);
    };
    return factory({ ...context, ask, publish });
  };
}

function watchedLedger(
  factory: ServiceFactory<typeof ledgerContract>,
  { ledger: watch, store }: Glass,
): ServiceFactory<typeof ledgerContract> {
  return (context): Service<typeof ledgerContract> => {
    const service = factory(context);
    const { handlers } = service;
    return {
      contract: service.contract,
      start: () => service.start(),
      stop: () => service.stop(),
      handlers: {
        ...handlers,
        events: {
          ...handlers.events,
          create: async (request, call) => {
            const answer = await handlers.events.create(request, call);
            if ('event' in answer) watch.acknowledged(store, request.job, answer.event, answer.acknowledged);
            return answer;
          },
        },
      },
    };
  };
}

const localCall = ({ peer, identity }: { peer: PeerId; identity: Call['identity'] }): Call => ({
  from: peer,
  identity,
  local: true,
  path: [],
  buffers: [],
  trace: '',
});
