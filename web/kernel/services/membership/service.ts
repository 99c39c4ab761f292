// Membership: joins a group through the directory, keeps links to its members, probes them, and publishes who is there.
// What is decided is decided in swim.ts and link-plan.ts; here it is done.
import { groupId, isHex32, type GroupId, type PeerId } from '../../lib/ids.ts';
import { groupNameOf } from '../../lib/names.ts';
import { FaultError } from '../../lib/outcome.ts';
import { connectTimeoutMs, probeEveryMs } from '../../limits.ts';
import type { Cancel, Neighbourhood } from '../../platform.ts';
import { membershipContract, type GroupView, type Rumour } from '../../protocol/contracts/membership.ts';
import { networkContract } from '../../protocol/contracts/network.ts';
import type { ServiceFactory } from '../../service.ts';
import { LinkPlan } from './link-plan.ts';
import { Swim, tickEveryMs } from './swim.ts';
import type { Contact, SwimEffect, SwimEvent, Words } from './swim-events.ts';

export const probeTimeoutMs = probeEveryMs;
/** On lines as slow as this members still see each other. */
const lateAnswerMsMax = 5_000;
/** A helper's own probe must have ended before the one who asked stops waiting. */
export const helpTimeoutMs = probeEveryMs - 100;
/** Views in which only what members offer has changed follow each other no faster. */
export const viewEveryMs = 150;
const goodbyeTimeoutMs = 500;
/** Probes made for others at once; more are refused. */
const helpsMax = 32;

type Signaling = GroupView['signaling'];

export const membershipService: ServiceFactory<typeof membershipContract> = (context) => {
  const { platform, self } = context;
  const { clock } = platform;
  // One tab of a profile speaks for its store; where nothing outlives the page there is none to speak for.
  const store = platform.storage.durable && platform.profileRole !== 'second' ? platform.storage.store : null;
  const contact: Contact = { peer: self.peer, identity: self.identity, store };

  let running = false;
  /** Counts starts: what was begun in an earlier life ends without effect. */
  let life = 0;
  let cancels: Cancel[] = [];
  let cancelTick: Cancel | undefined;
  let cancelView: Cancel | undefined;
  let publishedAt = -Infinity;
  let group: GroupId = self.group();
  let placed = false;
  /** 'up' is told once a group is found: until then the tab is alone, whatever the server says. */
  let signaling: Signaling = 'none';
  let signalingReason = '';
  let helping = 0;
  let open: readonly Contact[] = [];
  const fresh = (incarnation: number) => new Swim(contact, () => platform.random.fraction(), clock.now(), incarnation);
  let swim = fresh(1);
  let plan = new LinkPlan(self.peer);

  const view = (): GroupView => {
    const waiting = signaling === 'up' && !placed;
    const told = waiting ? { signaling: 'down' as const, signalingReason: 'Looking for others.' } : { signaling, signalingReason };
    return { group, groupName: groupNameOf(group), ...told, members: swim.members() };
  };

  const publish = () => {
    cancelView?.();
    cancelView = undefined;
    publishedAt = clock.now();
    context.publish('view', view());
  };

  const changed = (urgent: boolean) => {
    if (!running) return;
    if (urgent) publish();
    else cancelView ??= clock.after(Math.max(0, publishedAt + viewEveryMs - clock.now()), publish);
  };

  const feed = (event: SwimEvent) => {
    if (!running) return;
    const effects = swim.handle(event, clock.now());
    for (const effect of effects) if (effect.type !== 'changed') void perform(effect);
    const changes = effects.filter((effect) => effect.type === 'changed');
    if (changes.length > 0) changed(changes.some(({ urgent }) => urgent));
  };

  const perform = async (effect: Exclude<SwimEffect, { type: 'changed' }>) => {
    const born = life;
    const core = swim;
    const current = () => running && born === life && core === swim;
    switch (effect.type) {
      case 'probe': {
        const { target, words, all } = effect;
        const at = clock.now();
        const missed = async () => {
          const moved = await context.ask(networkContract, 'transfers', 'query', { peers: [target] });
          if (!current()) return;
          const heardMsAgo = moved.ok ? (moved.value.body.links[0]?.heardMsAgo ?? Infinity) : Infinity;
          // Its answer waits behind what it sends: whoever is heard lives.
          feed({ type: heardMsAgo < clock.now() - at ? 'vouched' : 'missed', target });
        };
        let late = false;
        const cancelMissed = clock.after(probeTimeoutMs, () => {
          late = true;
          void missed();
        });
        // What comes late tells as much of who is there as what comes in time.
        const answer = await context.ask(
          membershipContract,
          'probes',
          'query',
          { group, ...spoken(words), ...(all ? { all } : {}) },
          { peer: target, timeoutMs: lateAnswerMsMax },
        );
        cancelMissed();
        if (!current()) return;
        if (!answer.ok && answer.fault.code === 'conflict') return foreign(target);
        if (!answer.ok) return late ? undefined : missed();
        return feed({ type: 'answered', target, rttMs: clock.now() - at, words: answer.value.body });
      }
      case 'lookup': {
        const { target, helpers } = effect;
        const ask = async (peer: PeerId) => {
          const answer = await context.ask(membershipContract, 'probes', 'lookup', { target }, { peer, timeoutMs: 2 * probeTimeoutMs });
          if (current() && answer.ok && answer.value.body.alive) feed({ type: 'vouched', target });
        };
        await Promise.all(helpers.map(ask));
        return;
      }
      case 'unlink':
        await context.ask(networkContract, 'links', 'delete', { peer: effect.peer });
        return;
      default:
        effect satisfies never;
    }
  };

  /** While the server that introduces is away those this tab has links with do. */
  const mayDial = () => signaling === 'up' || (signaling === 'down' && placed && open.length > 0);

  const dialMore = () => {
    if (!running || !mayDial()) return;
    for (const peer of plan.next(clock.now())) void dial(peer);
  };

  const dial = async (peer: PeerId) => {
    const dialling = plan;
    const answer = await context.ask(networkContract, 'links', 'insert', { peer }, { timeoutMs: 2 * connectTimeoutMs });
    if (answer.ok) dialling.dialled(peer);
    else dialling.failed(peer, clock.now());
    // One that did not answer is replaced by the next at once.
    if (!answer.ok && dialling === plan) dialMore();
  };

  const tick = () => {
    cancelTick = clock.after(tickEveryMs, tick);
    feed({ type: 'tick' });
    if (mayDial()) {
      for (const peer of swim.alive()) plan.heardOf(peer, clock.now());
      dialMore();
    }
  };

  const setSignaling = (state: Signaling, reason: string) => {
    signaling = state;
    signalingReason = reason.slice(0, 200);
    changed(true);
    dialMore();
  };

  const goodbye = async (others: readonly PeerId[], moved: boolean) => {
    const words = moved ? { moved } : {};
    const say = (peer: PeerId) => context.ask(membershipContract, 'members', 'delete', words, { peer, timeoutMs: goodbyeTimeoutMs });
    await Promise.all(others.map(say));
  };

  const othersKnown = () =>
    swim
      .members()
      .slice(1)
      .map(({ peer }) => peer);

  const aroundIs = ({ absorbed, neighbours }: Neighbourhood) => {
    context.publish('neighbourhood', {
      group,
      absorbed: [...absorbed],
      neighbours: neighbours.map((neighbour) => ({ group: neighbour.group, contacts: [...neighbour.contacts] })),
    });
  };

  const enter = async (next: GroupId, members: readonly { readonly peer: PeerId }[], surroundings: Neighbourhood) => {
    const born = life;
    if (placed && next !== group) {
      const there = new Set(members.map(({ peer }) => peer));
      // Those left behind need not find out by themselves. Whoever moved along stays a member without a break.
      const behind = othersKnown().filter((peer) => !there.has(peer));
      group = next;
      void goodbye(behind, true);
      feed({ type: 'moved', stay: there });
      plan = new LinkPlan(self.peer);
    }
    const first = !placed || next !== self.group();
    group = next;
    placed = true;
    aroundIs(surroundings);
    if (first) {
      const replaced = await context.ask(networkContract, 'group', 'replace', { group: next });
      if (!replaced.ok) platform.report('warning', 'The group could not be set', replaced.fault);
      const links = await context.ask(networkContract, 'links', 'query', {});
      if (!running || born !== life || group !== next) return;
      if (links.ok) linksAre(links.value.body.links);
      void platform.storage.write([{ table: 'meta', key: 'group', value: next }]).then((outcome) => {
        if (!outcome.ok) platform.report('warning', 'The group could not be remembered', outcome.fault);
      });
    }
    plan.welcomed(
      members.map(({ peer }) => peer),
      clock.now(),
    );
    changed(true);
    dialMore();
  };

  const linksAre = (links: readonly Contact[]) => {
    open = links.map(({ peer, identity, store: theirs }) => ({ peer, identity, store: theirs }));
    feed({ type: 'links', links: open });
    planLinks();
  };

  /** Links to other groups are no links of this one. */
  const planLinks = () => {
    plan.links(new Set(open.map(({ peer }) => peer).filter((peer) => !swim.isForeign(peer))));
    dialMore();
  };

  const foreign = (peer: PeerId) => {
    feed({ type: 'foreign', peer });
    plan.forget(peer);
    planLinks();
  };

  return {
    contract: membershipContract,
    handlers: {
      probes: {
        query: ({ group: theirs, rumours, seen, view: theirView, all }, call) => {
          if (!running) throw new FaultError('refused', 'This tab is leaving.');
          if (theirs !== group) throw new FaultError('conflict', 'This tab is in another group.');
          const isNew = !swim.isMember(call.from);
          const honest = rumours.filter((rumour: Rumour) => rumour.peer !== call.from || rumour.identity === call.identity);
          feed({ type: 'probed', from: call.from, words: { rumours: honest, seen, view: theirView } });
          return { group, ...spoken(swim.tell(call.from, all === true || isNew)) };
        },
        lookup: async ({ target }, call) => {
          if (!running || helping >= helpsMax) throw new FaultError('overloaded', 'Too many ask this tab to probe for them.');
          if (target === self.peer || target === call.from) return { alive: target === self.peer };
          helping++;
          try {
            const words = spoken(swim.tell(target, false));
            const answer = await context.ask(
              membershipContract,
              'probes',
              'query',
              { group, ...words },
              { peer: target, timeoutMs: helpTimeoutMs },
            );
            return { alive: answer.ok };
          } finally {
            helping--;
          }
        },
      },
      members: {
        query: () => view(),
        delete: ({ moved }, call) => {
          if (call.local) return {};
          feed({ type: 'goodbye', peer: call.from, moved: moved === true });
          plan.forget(call.from);
          planLinks();
          return {};
        },
      },
      offer: {
        replace: (offer) => {
          feed({ type: 'offer', offer });
          return {};
        },
      },
    },

    async start() {
      if (running) return;
      running = true;
      const born = ++life;
      const current = () => running && born === life;
      // A peer id that was here before (a page put away and taken out again) is believed only at a higher incarnation.
      swim = fresh(swim.incarnation + (born > 1 ? 1 : 0));
      plan = new LinkPlan(self.peer);
      if (!placed) group = self.group();
      const links = await context.ask(networkContract, 'links', 'query', {});
      if (!current()) return;
      if (!links.ok) {
        signaling = 'none';
        signalingReason = 'This tab runs alone.';
        publish();
        return;
      }
      signaling = 'down';
      signalingReason = 'Looking for others.';
      publish();
      const remembered = await platform.storage.get('meta', 'group');
      if (!current()) return;
      const last = remembered.ok && typeof remembered.value === 'string' && isHex32(remembered.value) ? groupId(remembered.value) : null;
      cancels.push(context.watch(networkContract, 'links', (body) => linksAre(body.links)));
      linksAre(links.value.body.links);
      tick();
      platform.directory.start(
        {
          network: self.network,
          peer: self.peer,
          identity: self.identity,
          store,
          // Read again at every reconnection: a server that forgot everything still puts us back together.
          get lastGroup() {
            return placed ? group : last;
          },
          prove: (challenge) => platform.signer.sign(challenge),
        },
        {
          welcome: (next, members, _siteVersion, surroundings) => {
            if (current()) void enter(next, members, surroundings);
          },
          moved: (next, members, surroundings) => {
            if (current()) void enter(next, members, surroundings);
          },
          around: (surroundings) => {
            if (current() && placed) aroundIs(surroundings);
          },
          joined: ({ peer }) => {
            if (current()) plan.joined(peer, clock.now());
          },
          left: (peer) => {
            if (!current()) return;
            plan.forget(peer);
            feed({ type: 'left', peer });
          },
          state: (state, reason) => {
            if (current()) setSignaling(state, reason);
          },
        },
      );
    },

    async stop() {
      if (!running) return;
      const leaving = signaling === 'none' ? undefined : goodbye(othersKnown(), false);
      if (signaling !== 'none') platform.directory.stop();
      running = false;
      life++;
      for (const cancel of cancels) cancel();
      cancels = [];
      cancelTick?.();
      cancelView?.();
      cancelTick = cancelView = undefined;
      await leaving;
    },
  };
};

/** Words as a message's body has them. */
const spoken = ({ rumours, seen, view }: Words) => ({ rumours: [...rumours], seen, view });
