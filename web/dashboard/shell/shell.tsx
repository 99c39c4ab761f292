import type { ReactNode } from 'react';
import { groupNameOf } from '../../kernel/lib/names.ts';
import { titleOf } from '../settings/wording.ts';
import { plural } from '../view/format.ts';
import { useDeps, useSnapshot } from './deps.ts';
import { Link, type Route } from './router.tsx';

const entries = [
  { to: '/', label: 'Donate', pages: ['donate'], icon: 'M12 3a9 9 0 1 0 9 9M12 8v4l3 2' },
  { to: '/jobs', label: 'Jobs', pages: ['jobs', 'new-job', 'job', 'samples', 'examples'], icon: 'M4 6h16M4 12h16M4 18h10' },
  {
    to: '/network',
    label: 'Network',
    pages: ['network'],
    icon: 'M12 8.5v4M10.7 14.3 7.6 16.600M13.3 14.300l3.1 2.300M14 6a2 2 0 1 1-4 0 2 2 0 0 1 4 0ZM8 18a2 2 0 1 1-4 0 2 2 0 0 1 4 0ZM20 18a2 2 0 1 1-4 0 2 2 0 0 1 4 0ZM12 12.5h.01',
  },
  {
    to: '/data',
    label: 'Data',
    pages: ['data', 'object'],
    icon: 'M4 6.5C4 5 7.600 3.800 12 3.800S20 5 20 6.500 16.400 9.200 12 9.200 4 8 4 6.500ZM4 6.500V12c0 1.500 3.600 2.700 8 2.700s8-1.200 8-2.700V6.500M4 12v5.500c0 1.500 3.600 2.700 8 2.700s8-1.200 8-2.700V12',
  },
  {
    to: '/usage',
    label: 'Thanks',
    pages: ['usage'],
    icon: 'M12 20s-7-4.400-7-9.600A3.900 3.900 0 0 1 12 8a3.900 3.900 0 0 1 7 2.400C19 15.600 12 20 12 20Z',
  },
  {
    to: '/settings',
    label: 'Settings',
    pages: ['settings'],
    icon: 'M4 7h9M17 7h3M4 17h3M11 17h9M17 7a2 2 0 1 1-4 0 2 2 0 0 1 4 0ZM11 17a2 2 0 1 1-4 0 2 2 0 0 1 4 0Z',
  },
] as const;

/** Frame of every page: navigation, who and where one is, and what stands in the way. */
export function Shell({ route, children }: { route: Route; children: ReactNode }) {
  const own = useSnapshot((snapshot) => snapshot.self?.identity);
  const unfinished = useSnapshot(
    (snapshot) =>
      snapshot.jobs?.filter((job) => job.manifest.submitter === own && (job.state === 'running' || job.state === 'queued')).length ?? 0,
  );
  return (
    <div className="frame">
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <header className="side">
        <Link to="/" className="logo" aria-label="Lull, first page">
          <img src="/icons/lull.svg" alt="" width={22} height={22} />
          Lull
        </Link>
        <nav aria-label="Pages">
          {entries.map(({ to, label, pages, icon }) => (
            <Link key={to} to={to} aria-current={(pages as readonly string[]).includes(route.page) ? 'page' : undefined}>
              <svg className="nav-icon" viewBox="0 0 24 24" width={20} height={20} aria-hidden="true">
                <path d={icon} />
              </svg>
              <span>{label}</span>
              {label === 'Jobs' && unfinished > 0 ? (
                <span className="pill" title={`${plural(unfinished, 'job')} of yours not finished`}>
                  {unfinished}
                </span>
              ) : null}
            </Link>
          ))}
        </nav>
        <Whereabouts />
      </header>
      <main id="main">
        <PhaseNotice />
        <StorageNotice />
        {children}
      </main>
    </div>
  );
}

function Whereabouts() {
  const phase = useSnapshot((snapshot) => snapshot.phase);
  const group = useSnapshot((snapshot) => snapshot.group);
  const self = useSnapshot((snapshot) => snapshot.self);
  const { network } = useDeps().profile;
  const others = group === null ? 0 : group.members.length - 1;
  const tone =
    phase.kind === 'joined'
      ? group?.signaling === 'up'
        ? 'tide'
        : 'dusk'
      : phase.kind === 'starting'
        ? 'mute'
        : phase.kind === 'alone'
          ? 'dusk'
          : 'coral';
  return (
    <p className="whereabouts">
      <span>
        <i className={`dot ${tone}`} />
        {phase.kind === 'starting' ? (
          'finding a group'
        ) : phase.kind === 'alone' && group !== null ? (
          <AloneLine name={group.groupName || groupNameOf(group.group)} />
        ) : phase.kind === 'joined' && group !== null ? (
          <GroupLine name={group.groupName || groupNameOf(group.group)} others={others} />
        ) : (
          'not joined'
        )}
      </span>
      {network === null ? null : (
        <span className="whereabouts-network">
          private: <b title={titleOf(network)}>{titleOf(network)}</b>
        </span>
      )}
      {self === null ? null : (
        <span>
          you are <b title={`key ${self.identity.slice(0, 16)}…`}>{self.name}</b>
        </span>
      )}
    </p>
  );
}

const AloneLine = ({ name }: { name: string }) => (
  <>
    alone in <b>{name}</b>
  </>
);

const GroupLine = ({ name, others }: { name: string; others: number }) => (
  <>
    group <b>{name}</b>
    <span className="wide-only"> · {plural(others + 1, 'tab')}</span>
  </>
);

function StorageNotice() {
  const problem = useSnapshot((snapshot) => snapshot.storageProblem);
  const closed = useSnapshot((snapshot) => snapshot.storageClosed);
  if (closed !== '')
    return (
      <Notice tone="coral">
        {closed} Reload the page to go on: it begins with what is left, and others make anew what is lost.{' '}
        <button type="button" className="link" onClick={() => location.reload()}>
          Reload
        </button>
      </Notice>
    );
  return problem === '' ? null : (
    <Notice tone="dusk">{problem} This tab works, but it keeps nothing: what it holds is gone when it is closed.</Notice>
  );
}

/** What stands in the way of working with others, in one sentence; nothing while all is well. */
function PhaseNotice() {
  const phase = useSnapshot((snapshot) => snapshot.phase);
  const signaling = useSnapshot((snapshot) => snapshot.group?.signaling);
  if (phase.kind === 'failed') return <Notice tone="coral">Lull could not start: {phase.sentence}</Notice>;
  if (phase.kind === 'refused')
    return (
      <Notice tone="coral">
        No group could be joined: {phase.sentence || 'the server refused this tab.'} Jobs still run here, in this tab only.
      </Notice>
    );
  if (phase.kind === 'alone')
    return (
      <Notice tone="dusk">
        No other tab can be reached{phase.sentence ? ` (${phase.sentence.replace(/\.$/, '')})` : ''}, so this one works on its own. It joins
        by itself when it can.
      </Notice>
    );
  if (phase.kind === 'joined' && signaling === 'down')
    return (
      <Notice tone="dusk">
        The server that introduces tabs cannot be reached just now. Nothing stops: running jobs go on, only new tabs cannot join.
      </Notice>
    );
  return null;
}

export function Notice({ tone, children }: { tone: 'tide' | 'dusk' | 'coral'; children: ReactNode }) {
  return (
    <div className={`notice ${tone}`} role={tone === 'coral' ? 'alert' : undefined}>
      {children}
    </div>
  );
}
