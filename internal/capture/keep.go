package capture

import "github.com/stillcast/stillcast/internal/media"

// The access units that a stream keeps: all since a start point while a plan is
// exact, or while a start point is fed.

// keepUnit puts the access unit into the group if there is one, or is to be.
func (s *Stream) keepUnit(a *arrival) {
	begins := s.hasExact() && (a.start.Kind == media.StartKey || a.start.Kind == media.StartRecovery)
	refused := ""
	if s.group.open() {
		if refused = s.keep(a); refused == "" {
			return
		}
	}
	switch {
	case begins:
		s.beginGroup(a)
	case refused != "":
		s.bar(refused)
	}
}

// keep puts a copy of the access unit into the group. Otherwise it returns why
// it could not, for the metric.
func (s *Stream) keep(a *arrival) (refused string) {
	refused = s.group.add(kept{
		start: a.start, disposable: media.Disposable(a.Config, a.Data),
		shown: a.shown, bound: a.bound, arrived: a.Arrived, pts: a.PTS,
	}, a.Data)
	if refused == "" {
		a.number, a.kept = s.count, true
		s.count++
	}
	return refused
}

// keeps says whether the access unit is in the group.
func (s *Stream) keeps(a *arrival) bool {
	_, in := s.group.index(a.number)
	return a.kept && in
}

// beginGroup begins a group with the access unit, instead of the one before.
func (s *Stream) beginGroup(a *arrival) {
	s.drop()
	s.group = &group{config: a.Config, base: s.count, limit: s.engine.opts.Config.GOPBytes, total: &s.engine.kept}
	s.barred = ""
	if refused := s.keep(a); refused != "" {
		s.drop()
		s.barred = refused
	}
}

// bar ends exact shots until the next start point.
func (s *Stream) bar(reason string) {
	s.barred = reason
	if s.group != nil {
		s.group.shrink()
	}
}

// trim lets go of the kept access units what no plan needs any more.
func (s *Stream) trim() {
	if s.group.open() && s.hasExact() && !s.feeds() {
		s.group.trim()
	}
}

// dropUnneeded lets the kept access units go if no plan needs any.
func (s *Stream) dropUnneeded() {
	if !s.hasExact() && !s.feeds() {
		s.drop()
	}
}

// drop lets the kept access units go.
func (s *Stream) drop() {
	if s.group != nil {
		s.group.release()
		s.group = nil
	}
}

func (s *Stream) hasExact() bool {
	for _, p := range s.plans {
		if p.isExact() {
			return true
		}
	}
	return false
}

// feeds says whether a start point is being fed.
func (s *Stream) feeds() bool {
	for _, p := range s.plans {
		if p.feed != nil {
			return true
		}
	}
	return false
}
