package console

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/guard"
	"github.com/stillcast/stillcast/internal/state"
)

func (c *Console) entryRoutes() []route {
	return []route{
		{pattern: "GET health", open: true, run: (*view).health},
		{pattern: "GET login", open: true, run: (*view).loginPage},
		{pattern: "POST login", open: true, run: (*view).login},
		{pattern: "POST logout", open: true, run: (*view).logout},
		{pattern: "POST preferences", open: true, run: (*view).prefer},

		{pattern: "GET account", run: (*view).accountPage},
		{pattern: "POST account/password", role: RoleViewer, run: (*view).changePassword},
		{pattern: "POST account/sessions/end", role: RoleViewer, run: (*view).endOwnSessions},

		{pattern: "GET users", role: RoleAdmin, run: (*view).usersPage},
		{pattern: "POST users/add", run: (*view).addUser},
		{pattern: "POST users/role", run: (*view).setUserRole},
		{pattern: "POST users/reset", run: (*view).resetUser},
		{pattern: "POST users/delete", run: (*view).deleteUser},
		{pattern: "POST users/sessions/end", run: (*view).endSession},
	}
}

// guesses slows down who guesses passwords: by address, and by account.
type guesses struct {
	addresses *guard.Guard[netip.Prefix]
	accounts  *guard.Guard[string]
}

// How many wrong passwords in a row cost nothing: people mistype, and many may
// share an address.
const (
	freeOfAddress = 10
	freeOfAccount = 5
)

func newGuesses() guesses {
	return guesses{
		addresses: guard.New[netip.Prefix](freeOfAddress, time.Now),
		accounts:  guard.New[string](freeOfAccount, time.Now),
	}
}

// guess is one try to log in.
type guess struct {
	guesses

	network netip.Prefix
	account string // its name, or the browser that was logged in to it before
}

func (g guess) wait() time.Duration {
	return max(g.addresses.Wait(g.network), g.accounts.Wait(g.account))
}

func (g guess) failed() {
	g.addresses.Failed(g.network)
	g.accounts.Failed(g.account)
}

func (g guess) passed() {
	g.addresses.Passed(g.network)
	g.accounts.Passed(g.account)
}

// network is who is slowed down for a wrong guess of this request.
func (v *view) network() netip.Prefix { return guard.NetworkOf(v.from.addr) }

// seconds are those of a pause, at least 1.
func seconds(wait time.Duration) int { return int((wait + time.Second - 1) / time.Second) }

// loginData is what the login page shows.
type loginData struct {
	Account, Back string
	Fault         string // in the viewer's language, "" for none
}

func (v *view) loginPage() error {
	back := backTo(v.r.URL.Query().Get("back"))
	if v.session != nil {
		return v.redirect(back)
	}
	return v.page("login", loginData{Back: back})
}

// login lets a browser in that shows the password of an account.
func (v *view) login() error {
	name := strings.ToLower(strings.TrimSpace(v.r.PostFormValue("account")))
	data := loginData{Account: name, Back: backTo(v.r.PostFormValue("back"))}
	account, err := v.doors.find(v.r.Context(), name)
	if err != nil {
		return err
	}
	g := guess{v.guesses, v.network(), name}
	if device := v.device(account); device != "" {
		g.account = "browser " + device
	}
	if wait := g.wait(); wait > 0 {
		v.metrics.logins.WithLabelValues("slowed").Inc()
		v.w.Header().Set("Retry-After", strconv.Itoa(seconds(wait)))
		return v.refuseLogin(data, refusedf(http.StatusTooManyRequests, "entry.slowed", seconds(wait)))
	}
	// Counted before it is checked, so that many at once are not one guess.
	g.failed()
	ok, err := v.doors.check(v.r.Context(), account, v.r.PostFormValue("password"))
	switch {
	case errors.Is(err, errBusy):
		v.metrics.logins.WithLabelValues("busy").Inc()
		return v.refuseLogin(data, refusedf(http.StatusServiceUnavailable, "entry.busy"))
	case err != nil:
		return fmt.Errorf("check a password: %w", err)
	case !ok:
		v.metrics.logins.WithLabelValues("refused").Inc()
		v.log.LogAttrs(v.r.Context(), slog.LevelWarn, "console login refused", slog.String("remote", v.from.addr.String()))
		return v.refuseLogin(data, refusedf(http.StatusForbidden, "entry.wrong"))
	}
	g.passed()
	return v.enterAs(account, data)
}

// enterAs begins a session in place of the one that the browser had.
func (v *view) enterAs(account state.ConsoleAccount, data loginData) error {
	from := session{ConsoleSession: state.ConsoleSession{Address: v.from.addr.String(), Agent: v.r.UserAgent()}}
	var ended []string
	if v.session != nil {
		ended = append(ended, v.session.ID)
	}
	cookie, err := v.doors.open(v.r.Context(), account, from, ended...)
	if errors.Is(err, errLoggedOut) {
		return v.refuseLogin(data, refusedf(http.StatusForbidden, "entry.wrong"))
	}
	if err != nil {
		return fmt.Errorf("begin a session: %w", err)
	}
	v.metrics.logins.WithLabelValues("entered").Inc()
	v.log.LogAttrs(v.r.Context(), slog.LevelInfo, "console login", slog.Bool("audit", true),
		slog.String("account", account.Name), slog.String("remote", v.from.addr.String()))
	v.setCookie(sessionCookie, cookie, v.opts.Config.SessionLifetime)
	v.remember(account)
	return v.redirect(data.Back)
}

func (v *view) refuseLogin(data loginData, err error) error {
	status, text := v.explain(v, err)
	data.Fault = text
	return v.pageWith(status, "login", data)
}

// logout ends the session, if there is one still.
func (v *view) logout() error {
	if v.session != nil {
		if err := v.doors.sessions.revoke(v.r.Context(), v.session.ID); err != nil {
			return err
		}
		v.audit("logout")
	}
	v.setCookie(sessionCookie, "", 0)
	return v.redirect(Path + "login")
}

// backTo returns where to go after a login: a page of the console, whatever a link
// says.
func backTo(location string) string {
	u, err := url.Parse(location)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || strings.ContainsAny(location, "\\\r\n\t") ||
		!strings.HasPrefix(path.Clean(u.Path)+"/", Path) {
		return Path
	}
	clean := url.URL{Path: u.Path, RawQuery: u.RawQuery}
	return clean.String()
}

// audit notes who changed what.
func (v *view) audit(action string, attrs ...slog.Attr) {
	all := append([]slog.Attr{
		slog.Bool("audit", true), slog.String("account", v.session.Account), slog.String("remote", v.from.addr.String()),
		slog.String("action", action),
	}, attrs...)
	v.log.LogAttrs(v.r.Context(), slog.LevelInfo, "console change", all...)
}

// prefer sets what the viewer chose, and shows the page again.
func (v *view) prefer() error {
	chosen := false
	for _, p := range preferences() {
		value := v.r.PostFormValue(p.field)
		if value == "" {
			continue
		}
		if !p.allows(value) {
			return stillcast.Errorf(stillcast.CodeInvalid, p.field, "is %q; allowed are %s", value, strings.Join(p.values, ", "))
		}
		v.setCookie(p.cookie, value, yearLong)
		chosen = true
	}
	if !chosen {
		return stillcast.Errorf(stillcast.CodeInvalid, "", "none of theme, language and keys is given")
	}
	return v.redirect(backTo(v.r.PostFormValue("back")))
}
