package console

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stillcast/stillcast/internal/state"
)

func mustParse(t *testing.T, location string) *url.URL {
	t.Helper()
	u, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// kept is a state that keeps sessions in memory, for tests in bubbles of time.
type kept struct {
	accounts

	mu   sync.Mutex
	all  map[string]state.ConsoleSession
	seen int // how often SeeConsoleSession was called
	err  error
}

func (k *kept) ConsoleSessions(context.Context) ([]state.ConsoleSession, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []state.ConsoleSession
	for _, s := range k.all {
		all = append(all, s)
	}
	return all, k.err
}

func (k *kept) AddConsoleSession(_ context.Context, s state.ConsoleSession, ended []string) error {
	if err := k.EndConsoleSessions(context.Background(), ended); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.all[s.ID] = s
	return nil
}

func (k *kept) SeeConsoleSession(_ context.Context, s state.ConsoleSession) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.seen++
	if _, ok := k.all[s.ID]; ok {
		k.all[s.ID] = s
	}
	return k.err
}

func (k *kept) EndConsoleSessions(_ context.Context, ids []string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, id := range ids {
		delete(k.all, id)
	}
	return k.err
}

func (k *kept) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.all)
}

// bubble runs a test of sessions in a bubble of time.
func bubble(t *testing.T, test func(t *testing.T, s *sessions, store *kept)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		store := &kept{all: map[string]state.ConsoleSession{}}
		s := newSessions(store, DefaultConfig(), slog.New(slog.DiscardHandler))
		defer s.stop(errStopping)
		test(t, s, store)
	})
}

func (s *sessions) must(t *testing.T, account string) (id string) {
	t.Helper()
	cookie, err := s.begin(t.Context(), session{ConsoleSession: state.ConsoleSession{Account: account}, Role: RoleViewer})
	if err != nil {
		t.Fatal(err)
	}
	return sessionID(cookie)
}

// lives tells whether a session is good for a request.
func (s *sessions) lives(t *testing.T, id string) bool {
	t.Helper()
	one, _, done := s.use(t.Context(), id)
	done()
	return one != nil
}

func TestSessionsEndWhenIdle(t *testing.T) {
	bubble(t, func(t *testing.T, s *sessions, store *kept) {
		t.Helper()
		id, other := s.must(t, "a"), s.must(t, "a")
		for range 10 {
			time.Sleep(s.cfg.IdleLifetime / 3)
			if !s.lives(t, id) {
				t.Fatal("a session that is used ended")
			}
		}
		if len(s.list("a")) != 1 || s.lives(t, other) {
			t.Error("a session that is not used lives")
		}
		if store.count() != 1 {
			t.Errorf("the state has %d sessions, want the one that lives", store.count())
		}
		time.Sleep(s.cfg.IdleLifetime)
		if s.lives(t, id) || store.count() != 0 {
			t.Error("a session lives that is not used any more")
		}
	})
}

func TestAnOpenRequestUsesItsSession(t *testing.T) {
	bubble(t, func(t *testing.T, s *sessions, _ *kept) {
		t.Helper()
		id := s.must(t, "a")
		_, during, done := s.use(t.Context(), id)
		time.Sleep(2 * s.cfg.IdleLifetime)
		if during.Err() != nil || !s.lives(t, id) {
			t.Error("the session of an open request ended")
		}
		time.Sleep(s.cfg.SessionLifetime)
		synctest.Wait()
		if !errors.Is(context.Cause(during), errSessionEnded) || s.lives(t, id) {
			t.Errorf("after its lifetime the session lives; its request ended by %v", context.Cause(during))
		}
		done()
	})
}

func TestRevokedSessionsEndTheirRequests(t *testing.T) {
	bubble(t, func(t *testing.T, s *sessions, _ *kept) {
		t.Helper()
		for name, end := range map[string]func(id string) error{
			"revoke":      func(id string) error { return s.revoke(t.Context(), id) },
			"dropAccount": func(string) error { s.dropAccount("a", "another"); return nil },
			"setRole":     func(string) error { s.setRole("a", RoleAdmin); return nil },
		} {
			id, other := s.must(t, "a"), s.must(t, "b")
			_, during, done := s.use(t.Context(), id)
			_, others, otherDone := s.use(t.Context(), other)
			if err := end(id); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if !errors.Is(context.Cause(during), errSessionEnded) {
				t.Errorf("%s: the request ended by %v", name, context.Cause(during))
			}
			if lives := s.lives(t, id); lives != (name == "setRole") {
				t.Errorf("%s: the session lives: %t", name, lives)
			}
			if others.Err() != nil || !s.lives(t, other) {
				t.Errorf("%s: another session ended, too", name)
			}
			done()
			otherDone()
		}
	})
}

func TestStopEndsRequests(t *testing.T) {
	bubble(t, func(t *testing.T, s *sessions, store *kept) {
		t.Helper()
		_, during, done := s.use(t.Context(), s.must(t, "a"))
		defer done()
		s.stop(errStopping)
		synctest.Wait()
		if !errors.Is(context.Cause(during), errStopping) || store.count() != 1 {
			t.Errorf("the request ended by %v; %d sessions are kept", context.Cause(during), store.count())
		}
	})
}

func TestSightIsNotedNowAndThen(t *testing.T) {
	bubble(t, func(t *testing.T, s *sessions, store *kept) {
		t.Helper()
		id := s.must(t, "a")
		for range 600 {
			time.Sleep(time.Second)
			s.lives(t, id)
		}
		if store.seen < 9 || store.seen > 10 {
			t.Errorf("in ten minutes it was noted %d times", store.seen)
		}
		again := newSessions(store, DefaultConfig(), slog.New(slog.DiscardHandler))
		defer again.stop(errStopping)
		if err := again.load(t.Context(), map[string]Role{"a": RoleViewer}); err != nil {
			t.Fatal(err)
		}
		if all := again.list("a"); len(all) != 1 || all[0].Role != RoleViewer || time.Since(all[0].Seen) > seenEvery {
			t.Errorf("after a restart: %v", all)
		}
		store.err = errors.New("disk is on fire")
		time.Sleep(time.Hour)
		if !s.lives(t, id) {
			t.Error("a session ends when it cannot be noted")
		}
		if s.revoke(t.Context(), id) == nil || !s.lives(t, id) {
			t.Error("a session ended that the state still has")
		}
	})
}

func TestSessionsAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T, s *sessions, store *kept) {
		t.Helper()
		wall, other := s.must(t, "a"), s.must(t, "b")
		for range 2 * maxSessions {
			time.Sleep(time.Second)
			s.must(t, "a")
			s.lives(t, wall)
		}
		if n := len(s.list("a")); n != maxSessions || store.count() != maxSessions+1 {
			t.Errorf("%d sessions, in the state %d", n, store.count())
		}
		if !s.lives(t, wall) || !s.lives(t, other) {
			t.Error("a session that is used made room for one that is not")
		}
	})
}

func TestSessionsSurviveARestart(t *testing.T) {
	r := newRig(t)
	admin, viewer := r.as("admin", r.admin), r.as("viewer", r.viewer)
	r.restart()
	admin.want(admin.get("users"), http.StatusOK)
	viewer.want(viewer.get("users"), http.StatusForbidden)
	// Forms of pages from before the restart are good, too.
	admin.wantTo(admin.post("users/role", "name", "viewer", "role", "admin"), Path+"users?done=done.role")
}

func TestCookiesAreNotInTheState(t *testing.T) {
	r := newRig(t)
	b := r.as("admin", r.admin)
	stored, err := r.store.ConsoleSessions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range b.client.Jar.Cookies(mustParse(t, r.server.URL+Path)) {
		if c.Name == sessionCookie && (len(c.Value) < 43 || strings.Contains(stored[0].ID, c.Value)) {
			t.Errorf("the cookie %q of the session %q", c.Value, stored[0].ID)
		}
	}
	// Who reads the state cannot log in by what is there.
	thief := r.browser()
	thief.header.Set("Cookie", sessionCookie+"="+stored[0].ID)
	thief.wantTo(thief.get("account"), Path+"login?back=%2Fconsole%2Faccount")
}

// TestStreamEndsWithItsSession does what a wall does: it reads an answer that goes
// on, until its session is revoked elsewhere.
func TestStreamEndsWithItsSession(t *testing.T) {
	r := newRig(t)
	ended := make(chan error, 1)
	r.handle(route{pattern: "GET test/stream", run: func(v *view) error {
		if err := http.NewResponseController(v.w).Flush(); err != nil {
			return err
		}
		<-v.r.Context().Done()
		ended <- context.Cause(v.r.Context())
		return nil
	}})
	b, other := r.as("viewer", r.viewer), r.as("viewer", r.viewer)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.server.URL+Path+"test/stream", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	reply, err := b.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	other.wantTo(other.post("account/sessions/end"), Path+"account?done=done.sessions")
	if _, err := io.ReadAll(reply.Body); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, errSessionEnded) {
		t.Errorf("it ended by %v", err)
	}
}
