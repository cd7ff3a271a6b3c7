package console

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/stillcast/stillcast/internal/guard"
)

func TestLogin(t *testing.T) {
	r := newRig(t)
	b := r.browser()
	b.wantTo(b.get(""), Path+"login?back=%2Fconsole%2F")
	b.wantTo(b.get("account?x=1"), Path+"login?back=%2Fconsole%2Faccount%3Fx%3D1")
	b.want(b.get("login?back=%2Fconsole%2Faccount"), http.StatusOK, `name="back" value="/console/account"`)

	for _, wrong := range [][2]string{{"admin", "guess"}, {"nobody", r.admin}, {"viewer", r.admin}, {"admin", ""}, {"", ""}, {"admin", strings.Repeat("x", maxPassword+1)}} {
		a := b.login(wrong[0], wrong[1])
		b.want(a, http.StatusForbidden, "This account and password do not belong together.")
		if a.header.Get("Set-Cookie") != "" {
			t.Errorf("a wrong password gives cookies: %q", a.header.Values("Set-Cookie"))
		}
		r.guesses.passed()
	}

	a := b.post("login", "account", " Admin ", "password", r.admin, "back", "/console/account?x=1")
	b.wantTo(a, "/console/account?x=1")
	for _, c := range a.header.Values("Set-Cookie") {
		for _, attribute := range []string{"; Path=/console/", "; HttpOnly", "; SameSite=Strict", "; Max-Age="} {
			if !strings.Contains(c, attribute) {
				t.Errorf("the cookie %s lacks %q", c, attribute)
			}
		}
	}
	b.want(b.get("account"), http.StatusOK, "<dd>admin</dd>", "this one")
	b.wantTo(b.get("login"), Path)

	b.wantTo(b.post("logout"), Path+"login")
	b.wantTo(b.get("account"), Path+"login?back=%2Fconsole%2Faccount")
	if sessions := r.doors.sessions.list(""); len(sessions) > 0 {
		t.Errorf("after the logout there are %v", sessions)
	}
	for _, secret := range []string{r.admin, r.viewer, "guess"} {
		if strings.Contains(r.log.String(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
	if text := r.log.String(); !strings.Contains(text, `msg="console login" audit=true account=admin`) {
		t.Errorf("the log has no login:\n%s", text)
	}
}

// passed forgets all guesses.
func (g guesses) passed() {
	g.addresses.Passed(guard.NetworkOf(netip.MustParseAddr("127.0.0.1")))
	for _, name := range []string{"admin", "viewer", "nobody", ""} {
		g.accounts.Passed(name)
	}
}

func TestLoginRotatesTheSession(t *testing.T) {
	r := newRig(t)
	b := r.as("viewer", r.viewer)
	before := r.doors.sessions.list("")
	b.wantTo(b.login("admin", r.admin), Path)
	after := r.doors.sessions.list("")
	if len(before) != 1 || len(after) != 1 || before[0].ID == after[0].ID || after[0].Account != "admin" {
		t.Errorf("sessions before %v, after %v", before, after)
	}
}

func TestFirstPasswordOpensOnce(t *testing.T) {
	r := &rig{t: t, folder: t.TempDir(), log: &logged{}}
	r.open()
	t.Cleanup(func() { r.close() })
	r.admin = r.FirstPassword().Reveal()
	if len(r.admin) < 20 {
		t.Fatalf("the first password is %q", r.admin)
	}
	r.as("admin", r.admin)
	r.restart()
	if again := r.FirstPassword(); again != "" {
		t.Error("a second start has a first password, too")
	}
	r.as("admin", r.admin)
}

func TestGuessingIsSlowed(t *testing.T) {
	r := newRig(t)
	now := time.Now()
	clock := func() time.Time { return now }
	r.guesses = guesses{guard.New[netip.Prefix](freeOfAddress, clock), guard.New[string](freeOfAccount, clock)}
	owner := r.browser()
	owner.wantTo(owner.login("admin", r.admin), Path)
	owner.wantTo(owner.post("logout", "csrf", owner.tokenOf("account")), Path+"login")

	attacker := r.browser()
	for range freeOfAccount {
		attacker.want(attacker.login("admin", "guess"), http.StatusForbidden)
	}
	a := attacker.login("admin", r.admin)
	attacker.want(a, http.StatusTooManyRequests, "Too many wrong passwords. Try again in 1 s.")
	if a.header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
	}
	// The browser that the account was used in is not slowed by that, and it has guesses of its own.
	owner.wantTo(owner.login("admin", r.admin), Path)
	// An account that there is not is as slow.
	for range freeOfAccount {
		attacker.want(attacker.login("nobody", "guess"), http.StatusForbidden)
	}
	attacker.want(attacker.login("nobody", "guess"), http.StatusTooManyRequests)
	// Nobody waits for longer than a minute, however many tried before.
	for range 100 {
		attacker.login("admin", "guess")
		now = now.Add(20 * time.Second)
	}
	now = now.Add(time.Minute)
	attacker.wantTo(attacker.login("admin", r.admin), Path)
}

// tokenOf returns the token of a page.
func (b *browser) tokenOf(page string) string {
	b.t.Helper()
	b.get(page)
	return b.token
}

func TestGuessingIsSlowedByAddress(t *testing.T) {
	r := newRig(t)
	b := r.browser()
	for i := range freeOfAddress {
		b.want(b.login(fmt.Sprintf("account%d", i), "guess"), http.StatusForbidden)
	}
	b.want(b.login("admin", r.admin), http.StatusTooManyRequests)
}

func TestTooManyAtOnceAreSentAway(t *testing.T) {
	r := newRig(t)
	for range maxWaiting {
		r.doors.hasher.waiting <- struct{}{}
	}
	b := r.browser()
	// Whether there is such an account or not: both take a turn.
	for _, name := range []string{"admin", "nobody"} {
		b.want(b.login(name, r.admin), http.StatusServiceUnavailable, "Too many logins at once.")
	}
	for range maxWaiting {
		<-r.doors.hasher.waiting
	}
	b.wantTo(b.login("admin", r.admin), Path)
}

func TestForgedRequestsAreRefused(t *testing.T) {
	r := newRig(t)
	b := r.as("admin", r.admin)
	right := b.token
	for _, wrong := range []string{"", "x", right + "x", right[1:]} {
		b.token = wrong
		b.want(b.post("users/add", "name", "mallory", "role", "admin"), http.StatusForbidden, "another site sent the request")
	}
	other := r.as("admin", r.admin)
	b.token = other.token
	b.want(b.post("users/add", "name", "mallory", "role", "admin"), http.StatusForbidden)

	b.token = right
	for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "http://evil.example"} {
		b.header = http.Header{name: {value}}
		b.want(b.post("users/add", "name", "mallory", "role", "admin"), http.StatusForbidden, "requests from other sites are refused")
		b.want(b.post("login", "account", "admin", "password", r.admin), http.StatusForbidden, "requests from other sites are refused")
	}
	b.header = http.Header{"Sec-Fetch-Site": {"same-origin"}}
	b.want(b.post("users/add", "name", "friend", "role", "viewer"), http.StatusOK)

	b.header = http.Header{tokenHeader: {right}}
	b.token = ""
	b.want(b.post("users/add", "name", "other", "role", "viewer"), http.StatusOK)
}

// concrete returns a pattern's path with something in the place of its wildcards.
func concrete(pattern string) (method, at string) {
	method, at, _ = strings.Cut(pattern, " ")
	for {
		from, rest, ok := strings.Cut(at, "{")
		if !ok {
			return method, at
		}
		name, rest, _ := strings.Cut(rest, "}")
		if name != "$" {
			from += "x"
		}
		at = from + rest
	}
}

// TestEveryRouteIsGuarded goes to every route of every area: as nobody, as a
// viewer, and as an admin without the token.
func TestEveryRouteIsGuarded(t *testing.T) {
	r := newRig(t)
	nobody, viewer, admin := r.browser(), r.as("viewer", r.viewer), r.as("admin", r.admin)
	seen := 0
	for _, area := range r.areas() {
		for _, one := range area {
			method, at := concrete(one.pattern)
			if one.open {
				continue
			}
			seen++
			if a := nobody.send(method, at, nil); a.status != http.StatusSeeOther || !strings.HasPrefix(a.location(), Path+"login?") {
				t.Errorf("%s as nobody: %d to %q", one.pattern, a.status, a.location())
			}
			if !changes(method) {
				if one.role == RoleAdmin {
					viewer.want(viewer.get(at), http.StatusForbidden, "Your role is viewer.")
				}
				continue
			}
			if one.role != RoleViewer {
				viewer.header.Set(tokenHeader, viewer.token)
				viewer.want(viewer.send(method, at, strings.NewReader("")), http.StatusForbidden, "Your role is viewer.")
				viewer.header.Del(tokenHeader)
			}
			admin.want(admin.send(method, at, strings.NewReader("")), http.StatusForbidden, "another site sent the request")
		}
	}
	if seen < 10 {
		t.Errorf("%d routes were seen", seen)
	}
}

func TestHtmxIsToldWhereToGo(t *testing.T) {
	r := newRig(t)
	b := r.browser()
	b.header = http.Header{"Hx-Request": {"true"}, "Hx-Current-Url": {r.server.URL + Path + "account?a=b"}}
	a := b.get("account")
	if a.status != http.StatusNoContent || a.header.Get("Hx-Redirect") != Path+"login?back=%2Fconsole%2Faccount%3Fa%3Db" {
		t.Errorf("logged out: %d to %q", a.status, a.header.Get("Hx-Redirect"))
	}
	b = r.as("viewer", r.viewer)
	b.header = http.Header{"Hx-Request": {"true"}, "Hx-Target": {"list"}}
	a = b.post("users/add", "name", "x", "role", "admin")
	b.want(a, http.StatusForbidden, `<p class="notice bad" role="alert">Your role is viewer.`)
	if strings.Contains(a.body, "<html") || a.header.Get("Hx-Retarget") != "#notice" {
		t.Errorf("a refusal to htmx goes to %q:\n%s", a.header.Get("Hx-Retarget"), a.body)
	}
}

// backs are locations to come back to, with where that leads.
func backs() map[string]string {
	return map[string]string{
		"":                                  Path,
		"/console/":                         Path,
		"/console":                          "/console",
		"/console/streams/a/b/c?x=1&y=%2F":  "/console/streams/a/b/c?x=1&y=%2F",
		"/console/rules#top":                "/console/rules",
		"/":                                 Path,
		"/api/v1/status":                    Path,
		"/console/../api/v1/status":         Path,
		"/consolex":                         Path,
		"//evil.example/console/":           Path,
		"https://evil.example/console/":     Path,
		"https:/console/":                   Path,
		"/\\evil.example/console/":          Path,
		"/console/\r\nSet-Cookie: x":        Path,
		"javascript:alert(1)":               Path,
		"/console/%2e%2e/%2e%2e/etc/passwd": Path,
		"http://u@/console/":                Path,
		"%zz":                               Path,
	}
}

func TestBackTo(t *testing.T) {
	for location, want := range backs() {
		if got := backTo(location); got != want {
			t.Errorf("%q leads to %q, want %q", location, got, want)
		}
	}
}

func FuzzBackTo(f *testing.F) {
	for location := range backs() {
		f.Add(location)
	}
	f.Fuzz(func(t *testing.T, location string) {
		got := backTo(location)
		u, err := url.Parse(got)
		if err != nil || u.Host != "" || u.Scheme != "" || strings.HasPrefix(got, "//") || strings.ContainsAny(got, "\\\r\n") ||
			!strings.HasPrefix(path.Clean(u.Path)+"/", Path) {
			t.Errorf("%q leads to %q", location, got)
		}
	})
}

func TestPreferences(t *testing.T) {
	r := newRig(t)
	b := r.browser()
	b.want(b.get("login"), http.StatusOK, `<html lang="en" data-theme="system" data-keys="on"`, `content="light dark"`)
	b.wantTo(b.post("preferences", "language", "zh-CN", "back", "/console/login?back=x"), "/console/login?back=x")
	b.wantTo(b.post("preferences", "theme", "dark", "back", "https://evil.example/"), Path)
	b.wantTo(b.post("preferences", "keys", "off"), Path)
	b.want(b.get("login"), http.StatusOK, `<html lang="zh-CN" data-theme="dark" data-keys="off"`, `content="dark"`, ">登录<")
	for _, wrong := range [][2]string{{"theme", "pink"}, {"language", "tlh"}, {"keys", "maybe"}, {"none", "x"}} {
		b.want(b.post("preferences", wrong[0], wrong[1]), http.StatusUnprocessableEntity)
	}
}

func TestLanguageOfTheBrowser(t *testing.T) {
	r := newRig(t)
	for accept, want := range map[string]string{
		"":                     "en",
		"*":                    "en",
		"en-GB,en;q=0.9":       "en",
		"fr-FR,de;q=0.5":       "en",
		"zh-CN,zh;q=0.9":       "zh-CN",
		"zh":                   "zh-CN",
		"zh-Hans-SG":           "zh-CN",
		"zh-TW,zh;q=0.9":       "zh-CN",
		"fr;q=0.9,zh-CN;q=0.8": "zh-CN",
		"en;q=0.5,zh-CN;q=0.8": "zh-CN",
		";; not a language,,":  "en",
	} {
		b := r.browser()
		b.header.Set("Accept-Language", accept)
		b.want(b.get("login"), http.StatusOK, `<html lang="`+want+`"`)
	}
}

func TestStopRefuses(t *testing.T) {
	r := newRig(t)
	b := r.as("viewer", r.viewer)
	b.want(b.get("health"), http.StatusOK, `{"version":"test"}`)
	r.Stop()
	for _, at := range []string{"health", "account"} {
		a := b.get(at)
		b.want(a, http.StatusServiceUnavailable)
		if a.header.Get("Retry-After") == "" {
			t.Errorf("%s has no Retry-After", at)
		}
	}
}
