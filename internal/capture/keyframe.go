package capture

import "github.com/stillcast/stillcast/internal/media"

// maxFeed is how many access units a start point is fed with at most until the
// decoder gives a picture. Encoders refresh a picture within a few seconds.
const maxFeed = 300

// minRefeed is how many access units a decoder gets at least when fewer were not
// enough.
const minRefeed = 8

// feed is a start point that gives a picture only with the access units that
// follow (periodic intra refresh, open groups of pictures).
type feed struct {
	pick    pick
	first   bool   // the first shot of its plan
	from    uint64 // number of the start point in the group
	goal    int    // access units that are wanted before the decoder is asked again
	tried   int    // access units that it gave no picture for
	running bool   // it is being asked
}

// takeKeyframe takes a shot of the access unit if it is a key frame that is
// nearest to a due time.
func (p *plan) takeKeyframe(a *arrival) *job {
	s := p.stream
	if p.feed != nil {
		if a.start.Kind != media.StartKey || p.feed.running {
			return p.fed()
		}
		p.giveUpFeed() // a whole key frame for the same due time is better
		s.dropUnneeded()
	}
	w, ok := p.pickFor(a)
	if !ok || !s.starts.usable(a.AccessUnit, a.start.Kind) {
		return nil
	}
	if a.start.Kind == media.StartRecovery && !s.keeps(a) {
		s.beginGroup(a)
	}
	return p.shoot(a, w)
}

// fed makes a job of the start point that is being fed, once there is enough.
func (p *plan) fed() *job {
	s, f := p.stream, p.feed
	if f == nil || f.running {
		return nil
	}
	from, ok := s.group.index(f.from)
	if !ok || !s.group.open() {
		p.giveUpFeed()
		s.dropUnneeded()
		return nil
	}
	units := s.group.units[from:]
	n := len(units)
	clean := units[n-1].refs-units[0].refs >= units[0].start.Frames
	if n < maxFeed && (n < f.goal || !clean) {
		return nil
	}
	j := s.group.job(from, from+n-1, true)
	if s.poisonous(j) || j.bytes() > s.engine.opts.MaxUnitBytes {
		j.letGo()
		p.giveUpFeed()
		s.dropUnneeded()
		return nil
	}
	// Decoders of H.264 give the first picture that is right, which may be one
	// before the last. The others give pictures before that too.
	if j.alone = s.group.config.Codec == media.H264; j.alone && f.tried > 0 {
		j.captured, j.timestamp = units[f.tried].arrived, units[f.tried].pts
	}
	j.feed, j.first = f, f.first
	f.running, f.tried = true, n
	return p.complete(j, f.pick)
}

// hungry says whether the decoder is to be asked again with more access units.
func (p *plan) hungry(j *job, err error) bool {
	s, f := p.stream, p.feed
	if f == nil || j.feed != f || !s.engine.opts.NoPicture(err) || f.tried >= maxFeed || !s.group.open() {
		return false
	}
	f.running, f.goal = false, min(max(2*f.tried, minRefeed), maxFeed)
	return true
}

// giveUpFeed opens the due time of the feed for another frame. When the decoder
// is being asked, that is left to how it ends.
func (p *plan) giveUpFeed() {
	if !p.feed.running {
		p.schedule.reopen(p.feed.pick)
		p.exact.waiting = true
	}
	p.feed = nil
	p.asked.made = false // its answer knew nothing of that
}

// endFeed ends the feed that j is of.
func (p *plan) endFeed(j *job) {
	if j.feed == nil || j.feed != p.feed {
		return
	}
	p.feed = nil
	p.stream.dropUnneeded()
}
