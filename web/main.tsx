// Wires adapters, kernel, public API and pages together; decides nothing.
import './dashboard/styles/main.css';
import { browserClock } from './adapters/browser-clock.ts';
import { browserMachine } from './adapters/browser-machine.ts';
import { browserRandom } from './adapters/browser-random.ts';
import { codecClient } from './adapters/codec-client.ts';
import { keepSite } from './adapters/offline.ts';
import { openStorage } from './adapters/idb-storage.ts';
import { operatorDesk } from './adapters/operator-desk.ts';
import { durableStorage } from './adapters/durable-storage.ts';
import { directoryUrlOf, peerDirectory } from './adapters/peer-directory.ts';
import { peerjsTransport, peerServerAt } from './adapters/peerjs-transport.ts';
import { electSpeaker } from './adapters/profile.ts';
import { missingFeature } from './adapters/requirements.ts';
import { loadSite } from './adapters/site-config.ts';
import { trustOwnScripts } from './adapters/trusted-types.ts';
import { openIdentity, webDigest } from './adapters/web-crypto.ts';
import { workerSandbox } from './adapters/worker-sandbox.ts';
import { objectSource } from './dashboard/data/objects.ts';
import { donorSource } from './dashboard/donate/donor-source.ts';
import { keepingSource } from './dashboard/job/keeping.ts';
import { mountDashboard, renderProblem } from './dashboard/mount.tsx';
import { networkSource } from './dashboard/network/source.ts';
import { trySource } from './dashboard/new-job/tries.ts';
import { connectSnapshots, createSnapshotStore } from './dashboard/snapshots.ts';
import { startKernel } from './kernel/kernel.ts';
import { hexOf } from './kernel/lib/bytes.ts';
import type { PeerId } from './kernel/lib/ids.ts';
import { carryOver } from './kernel/carry-over.ts';
import { memoryStorage } from './kernel/memory-storage.ts';
import type { Platform, Storage } from './kernel/platform.ts';
import { introductionProofBytes, introductionToken } from './kernel/protocol/directory.ts';
import { createLull } from './sdk/lull.ts';
import { profileSettings } from './profile-settings.ts';
import { PageKernel } from './sdk/page-kernel.ts';
import { teamSettings } from './team-settings.ts';

trustOwnScripts();
const root = document.getElementById('root')!;
const missing = missingFeature();
if (missing === undefined) void run();
else renderProblem(root, missing);

const report: Platform['report'] = (level, message, detail) => {
  const write = level === 'bug' ? console.error : level === 'warning' ? console.warn : console.info;
  write(message, detail ?? '');
};

async function run(): Promise<void> {
  const random = browserRandom();
  const opening = openIdentity({ random });
  const profile = profileSettings(random, opening);
  const team = teamSettings(random, profile.joined.network);
  const clock = browserClock();
  const snapshots = createSnapshotStore();
  const fail = (sentence: string) => snapshots.setState({ phase: { kind: 'failed', sentence } });
  const codec = codecClient(clock);
  const host = new PageKernel(clock, random, codec, fail);
  const lull = createLull(host);
  // There from the first line of the page on; `lull.ready` says when it may be used.
  Object.defineProperty(globalThis, 'lull', { value: lull, configurable: true });
  let connected: { disconnect(): void } | undefined;
  host.onKernel((bus) => {
    connected?.disconnect();
    connected = connectSnapshots(bus, snapshots);
    team.serve(bus);
  });
  mountDashboard(root, {
    lull,
    snapshots,
    objects: objectSource(() => host.bus()),
    durable: durableStorage(),
    donor: donorSource(() => host.bus()),
    keeping: keepingSource(() => host.bus()),
    network: networkSource(() => host.bus()),
    profile,
    team,
    tries: trySource(() => host.bus()),
  });

  const [site, identity] = await Promise.all([loadSite(), opening, profile.answered()]);
  if (!site.ok) return host.failed(site.fault);
  if (!identity.ok) return host.failed(identity.fault);
  const { signer } = identity.value;
  const operator = operatorDesk(site.value.operator);
  const tokenOf = async (self: PeerId) => introductionToken(signer.identity, hexOf(await signer.sign(introductionProofBytes(self))));
  const shared = {
    clock,
    random,
    digest: webDigest,
    coder: codec.coder,
    signer,
    machine: browserMachine(),
    report,
    ...(operator && { operator }),
  };
  const carry = async (from: Storage, to: Storage) => {
    const carried = await carryOver(from, to);
    if (!carried.ok) report('warning', 'Not all that this page kept in memory could be kept', carried.fault);
  };
  const start = (storage: Storage, profileRole: 'speaker' | 'second', before?: Storage) => {
    // Once, however often the start is tried: what is counted is added to what is there.
    let carried: Promise<void> | undefined;
    return host.run(async () => {
      if (before !== undefined) await (carried ??= carry(before, storage));
      const directory = peerDirectory({ clock, random, url: directoryUrlOf(new URL(location.href)) });
      const server = peerServerAt(location);
      const platform: Platform = {
        ...shared,
        storage,
        profileRole,
        transport: peerjsTransport({ clock, random, report, tokenOf, server, iceServers: site.value.iceServers, after: directory.begun }),
        directory,
        sandbox: workerSandbox({ clock }),
      };
      return startKernel(platform, { bootDocument: site.value.bootDocument, ...profile.joined });
    });
  };
  /** What this page kept while another tab of the profile spoke. */
  let waited: Storage | undefined;
  const wait = () => void start((waited = memoryStorage(random)), 'second');
  const speak = async () => {
    const before = waited;
    waited = undefined;
    const memory = before ?? memoryStorage(random);
    const opened = await openStorage({
      random,
      name: profile.storeName,
      onClosed: (storageClosed) => snapshots.setState({ storageClosed }),
      // Until the kernel has it this tab keeps nothing, and says so.
      onLate: (storage) =>
        void start(storage, 'speaker', memory).then((started) => {
          if (started) snapshots.setState({ storageProblem: '' });
        }),
    });
    // Without a database the tab still works; it keeps nothing for others, and the page says so.
    if (!opened.ok) snapshots.setState({ storageProblem: opened.fault.message });
    await (opened.ok ? start(opened.value, 'speaker', before) : start(memory, 'speaker'));
  };
  electSpeaker(`${profile.storeName}-store`, {
    onElected: () => void speak(),
    onWaiting: wait,
  });
  if (import.meta.env.PROD) keepSite();
  addEventListener('pagehide', () => void host.stop());
  // A page brought back by the back button has said good-bye already: it begins anew.
  addEventListener('pageshow', (event) => event.persisted && location.reload());
}
