import { gallery } from '../../samples/gallery.ts';
import { guide } from '../guide/guide.tsx';
import { Heading, Link } from '../shell/router.tsx';

/** Whole jobs on real data, each ending in something to look at. */
export function SamplesPage() {
  return (
    <>
      <div className="page-head">
        <div>
          <p className="mute sm">
            <Link to="/jobs">Jobs</Link> /
          </p>
          <Heading title="Samples">Six jobs that end in a picture</Heading>
          <p className="mute">
            Open one, look at its code, try it on three items, submit it. Change what you like: it is yours. From your own code it goes too:{' '}
            <Link to="/examples">examples of the SDK</Link>.
          </p>
        </div>
      </div>
      <ul className="gallery">
        {gallery.map(({ id, name, about, picture, source }) => (
          <li key={id}>
            <Link to={`/jobs/new?sample=${id}`} className="card gallery-card" onClick={guide.end}>
              <img src={`/samples/${id}.webp`} alt="" width={540} height={330} loading="lazy" />
              <b>{name}</b>
              <span className="sm">{about}.</span>
              <span className="mute sm">
                Ends in: {picture?.toLowerCase().slice(0, 1)}
                {picture?.slice(1)}.
              </span>
              {source === undefined ? null : <span className="mute sm">Data: {source}.</span>}
            </Link>
          </li>
        ))}
      </ul>
    </>
  );
}
