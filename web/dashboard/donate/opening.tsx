import { nameOf } from '../../kernel/lib/names.ts';
import type { Member } from '../../kernel/protocol/contracts/membership.ts';
import type { ResourceState } from '../../kernel/protocol/contracts/resources.ts';
import { guide } from '../guide/guide.tsx';
import { useSnapshot } from '../shell/deps.ts';
import { Heading, Link, navigate } from '../shell/router.tsx';
import { bytes, plural, rate } from '../view/format.ts';
import { liveNow } from './live.ts';

/** What somebody sees who has never said yes or no: what this is, that it is alive, and two ways in. */
export function Opening({ resources, busy, onStart }: { resources: ResourceState; busy: boolean; onStart: () => void }) {
  const { limits } = resources;
  return (
    <>
      <div className="opening">
        <Heading title="Donate">A computer made of everybody’s quiet moments</Heading>
        <p className="opening-said">
          Lull runs small programs in browser tabs whose people are away, and brings the results to whoever asked for them. No install, no
          account, nobody’s server.
        </p>
        <Live />
      </div>
      <div className="ways">
        <section className="card stack way" aria-label="Give">
          <h2 className="way-title">Give</h2>
          <p>
            While you are not using this machine, this tab computes for others on at most {plural(limits.cores, 'core')}. Touch anything and
            it stops within a blink.
          </p>
          <div className="actions start">
            <button className="btn" type="button" disabled={busy} onClick={onStart}>
              Start donating
            </button>
            <a className="sm" href="#machine">
              What happens on my machine?
            </a>
          </div>
        </section>
        <section className="card stack way" aria-label="Run something">
          <h2 className="way-title">Run something</h2>
          <p>
            Write a function, give it a thousand inputs, close the tab if you like. Your first job takes two minutes and ends in a picture.
          </p>
          <div className="actions start">
            <button
              className="btn ghost"
              type="button"
              onClick={() => {
                guide.begin();
                navigate('/jobs/new?sample=fractal');
              }}
            >
              Run a first job
            </button>
            <Link className="sm" to="/samples">
              See what others look like
            </Link>
          </div>
        </section>
      </div>
      <section id="machine" className="card stack" aria-label="What happens on my machine">
        <h2>What happens on my machine</h2>
        <dl className="machine">
          <div>
            <dt>What runs</dt>
            <dd>
              Small programs that other people submitted, only while nobody uses this machine. They run in a locked box: they cannot see
              your files, your other pages or the network. Their code is one click away while they run: “Look” shows it, and so does the
              page of each job.
            </dd>
          </div>
          <div>
            <dt>What is kept</dt>
            <dd>
              Code and data of other people’s jobs, at most {bytes(limits.storageMiB * 2 ** 20)}, in this browser’s storage. Others see this
              tab’s two-word name, how many cores it offers, and your internet address, as in any call between browsers.
            </dd>
          </div>
          <div>
            <dt>How to stop</dt>
            <dd>
              Touch the mouse or a key and everything stops at once, until you leave again. Press “Stop donating”, or close the tab, and it
              is over. Clearing this site’s data removes everything.
            </dd>
          </div>
        </dl>
      </section>
    </>
  );
}

/** Who is here at this moment, as dots and in a sentence. */
function Live() {
  const group = useSnapshot((snapshot) => snapshot.group);
  const jobs = useSnapshot((snapshot) => snapshot.jobs);
  const members = group?.members ?? [];
  const { tabs, donors, cores, busy, perSecond, underWay } = liveNow(members, jobs ?? []);
  return (
    <div className="live">
      <svg
        viewBox="0 0 600 64"
        role="img"
        aria-label={`${plural(tabs, 'tab')} in this group, ${busy} of them computing`}
        preserveAspectRatio="xMidYMid meet"
      >
        {members.slice(0, 24).map((member, i) => {
          const x = 300 + (i % 2 === 0 ? 1 : -1) * Math.ceil(i / 2) * 24;
          const y = 32 + Math.sin(i * 2.4) * 13;
          return (
            <g
              key={member.peer}
              className={`live-dot ${computes(member) ? 'computes' : gives(member) ? 'gives' : 'looks'}`}
              transform={`translate(${x} ${y.toFixed(1)})`}
            >
              <title>{i === 0 ? 'you' : nameOf(member.identity)}</title>
              <circle className="live-halo" r={11} />
              <circle className="live-core" r={i === 0 ? 7.5 : 6} />
            </g>
          );
        })}
      </svg>
      <p className="sm">
        {group === null ? (
          <span className="mute">Looking for others …</span>
        ) : tabs === 1 ? (
          'You are the first one here just now. It works all the same: your own tab can compute your jobs.'
        ) : (
          <>
            <b>{plural(tabs, 'tab')} here now</b>,{' '}
            {donors === 0
              ? 'nobody giving'
              : `${plural(donors, 'gives', 'give')}${cores === 0 ? ', in use just now' : ` ${plural(cores, 'core')} now`}`}
            {perSecond > 0 ? `, ${rate(perSecond)} items a second` : ''}
            {underWay > 0 ? ` · ${plural(underWay, 'job')} under way` : ''}
          </>
        )}
      </p>
    </div>
  );
}

const gives = ({ offer }: Member) => offer !== null && offer.state !== 'off';
const computes = ({ offer }: Member) => offer !== null && offer.sandbox.workersRunning > 0;
