package console

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/stillcast/stillcast/internal/state"
)

const (
	// maxSessions is how many sessions an account has at most. The one that was
	// not used for longest makes room for another.
	maxSessions = 100
	// seenEvery is how often it is written down when a session was seen last.
	seenEvery = time.Minute
)

// session is one browser that is logged in, as it was when a request came.
type session struct {
	state.ConsoleSession

	Role Role
}

// The reasons for which the context of a request ends, beside that its sender went away.
var (
	errSessionEnded = errors.New("the session ended")
	errStopping     = errors.New("the server stops")
)

// sessions are all browsers that are logged in. They are in the state, so that
// they outlive a restart, and in memory, where every request looks.
type sessions struct {
	store accounts
	cfg   Config
	log   *slog.Logger
	base  context.Context //nolint:containedctx // ends all sessions' contexts when the console stops
	stop  context.CancelCauseFunc

	mu  sync.Mutex
	all map[string]*held // by id
}

// held is one session in memory.
type held struct {
	session

	during context.Context //nolint:containedctx // ends with the session
	end    context.CancelFunc
	using  int       // requests under way
	noted  time.Time // when Seen was written down last
}

func newSessions(store accounts, cfg Config, log *slog.Logger) *sessions {
	s := &sessions{store: store, cfg: cfg, log: log, all: make(map[string]*held)}
	s.base, s.stop = context.WithCancelCause(context.Background())
	return s
}

// load takes over the sessions of before the start.
func (s *sessions) load(ctx context.Context, roles map[string]Role) error {
	stored, err := s.store.ConsoleSessions(ctx)
	if err != nil {
		return err
	}
	for _, one := range stored {
		s.hold(session{ConsoleSession: one, Role: roles[one.Account]})
	}
	return nil
}

func (s *sessions) hold(one session) {
	h := &held{session: one, noted: one.Seen}
	s.open(h)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[one.ID] = h
}

// open gives a session the context of its requests.
func (s *sessions) open(h *held) {
	h.during, h.end = context.WithDeadlineCause(s.base, h.Expires, errSessionEnded)
}

// sessionID returns the id of the session of a cookie: a hash, so that who reads
// the state cannot log in with it. The cookie is random, so it needs no salt.
func sessionID(cookie string) string {
	sum := sha256.Sum256([]byte(cookie))
	return hex.EncodeToString(sum[:])
}

// begin makes a session and returns its cookie. The sessions ended end with it.
func (s *sessions) begin(ctx context.Context, one session, ended ...string) (cookie string, err error) {
	cookie = base64.RawURLEncoding.EncodeToString(random(32))
	now := time.Now()
	one.ID, one.Created, one.Seen, one.Expires = sessionID(cookie), now, now, now.Add(s.cfg.SessionLifetime)
	ended = append(ended, s.surplus(one.Account)...)
	if err := s.store.AddConsoleSession(ctx, one.ConsoleSession, ended); err != nil {
		return "", err
	}
	s.drop(ended...)
	s.hold(one)
	return cookie, nil
}

// surplus are the sessions that must end before an account gets one more: those
// that are over, and the ones unused for longest.
func (s *sessions) surplus(account string) (ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var others []*held
	for id, h := range s.all {
		switch {
		case s.over(h):
			ids = append(ids, id)
		case h.Account == account:
			others = append(others, h)
		}
	}
	slices.SortFunc(others, func(a, b *held) int { return b.Seen.Compare(a.Seen) })
	for _, h := range others[min(len(others), maxSessions-1):] {
		ids = append(ids, h.ID)
	}
	return ids
}

func (s *sessions) over(h *held) bool {
	now := time.Now()
	return !now.Before(h.Expires) || h.using == 0 && now.Sub(h.Seen) >= s.cfg.IdleLifetime
}

// use returns the session with an id for one request, and a context of the request
// that ends with the session, too; nil when there is no such session. Done must be
// called when the request is answered.
func (s *sessions) use(ctx context.Context, id string) (one *session, during context.Context, done func()) {
	s.mu.Lock()
	h, ok := s.all[id]
	if !ok || s.over(h) {
		s.mu.Unlock()
		s.forget(ctx, id, ok)
		return nil, ctx, func() {}
	}
	h.using++
	copied, alive := s.see(h), h.during
	s.mu.Unlock()
	s.note(ctx, copied)
	during, cancel := context.WithCancelCause(ctx)
	detach := context.AfterFunc(alive, func() {
		if err := s.stopped(); err != nil {
			cancel(err)
			return
		}
		cancel(errSessionEnded)
	})
	return copied, during, func() {
		detach()
		cancel(nil)
		s.mu.Lock()
		h.using--
		last := s.see(h)
		s.mu.Unlock()
		s.note(context.WithoutCancel(ctx), last)
	}
}

// forget ends a session that is over, if there is one.
func (s *sessions) forget(ctx context.Context, id string, over bool) {
	if !over {
		return
	}
	if err := s.store.EndConsoleSessions(context.WithoutCancel(ctx), []string{id}); err != nil {
		s.log.WarnContext(ctx, "removing a console session that is over failed", "error", err)
	}
	s.drop(id)
}

// stopped returns errStopping when the console stops, else nil.
func (s *sessions) stopped() error { return context.Cause(s.base) }

// see notes that a session is used and returns a copy; s.mu is held.
func (s *sessions) see(h *held) *session {
	h.Seen = time.Now()
	copied := h.session
	return &copied
}

// note writes down when a session was seen, now and then.
func (s *sessions) note(ctx context.Context, one *session) {
	s.mu.Lock()
	h, ok := s.all[one.ID]
	due := ok && one.Seen.Sub(h.noted) >= min(seenEvery, s.cfg.IdleLifetime/10)
	if due {
		h.noted = one.Seen
	}
	s.mu.Unlock()
	if !due {
		return
	}
	if err := s.store.SeeConsoleSession(context.WithoutCancel(ctx), one.ConsoleSession); err != nil {
		s.log.WarnContext(ctx, "noting that a console session is used failed", "account", one.Account, "error", err)
	}
}

// list returns the sessions of an account, "" for all, those seen last first.
func (s *sessions) list(account string) []session {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []session
	for _, h := range s.all {
		if (account == "" || h.Account == account) && !s.over(h) {
			all = append(all, h.session)
		}
	}
	slices.SortFunc(all, func(a, b session) int { return cmp.Or(b.Seen.Compare(a.Seen), cmp.Compare(a.ID, b.ID)) })
	return all
}

// count returns how many there are.
func (s *sessions) count() float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return float64(len(s.all))
}

// revoke ends sessions for good.
func (s *sessions) revoke(ctx context.Context, ids ...string) error {
	if err := s.store.EndConsoleSessions(ctx, ids); err != nil {
		return err
	}
	s.drop(ids...)
	return nil
}

// drop ends sessions that are in the state no more, or over.
func (s *sessions) drop(ids ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		if h, ok := s.all[id]; ok {
			h.end()
			delete(s.all, id)
		}
	}
}

// dropAccount ends the sessions of an account but one.
func (s *sessions) dropAccount(account, keep string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, h := range s.all {
		if h.Account == account && id != keep {
			h.end()
			delete(s.all, id)
		}
	}
}

// setRole gives the sessions of an account another role. Their requests under way
// end, as they were let in with the one of before.
func (s *sessions) setRole(account string, role Role) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.all {
		if h.Account == account {
			h.Role = role
			h.end()
			s.open(h)
		}
	}
}
