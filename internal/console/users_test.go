package console

import (
	"net/http"
	"strings"
	"testing"
)

func TestChangePassword(t *testing.T) {
	r := newRig(t)
	b, elsewhere := r.as("viewer", r.viewer), r.as("viewer", r.viewer)
	const fresh = "correct horse battery"
	for _, test := range []struct{ current, password, again, says string }{
		{r.viewer, "short", "short", "Too short: at least 12 characters."},
		{r.viewer, strings.Repeat("x", maxPassword+1), "", "Too long: at most 1024 bytes."},
		{r.viewer, "Viewer123456", "Viewer123456", "Too close to the account"},
		{r.viewer, fresh, fresh + "x", "This is not the same as above."},
		{"guess", fresh, fresh, "This is not your present password."},
	} {
		a := b.post("account/password", "current", test.current, "password", test.password, "again", test.again)
		b.want(a, http.StatusUnprocessableEntity, test.says, `aria-invalid="true" aria-describedby="password-fault"`, `id="password-fault"`)
	}
	b.wantTo(b.post("account/password", "current", r.viewer, "password", fresh, "again", fresh), Path+"account?done=done.password")
	b.want(b.get("account?done=done.password"), http.StatusOK, "The password was changed.")
	elsewhere.wantTo(elsewhere.get("account"), Path+"login?back=%2Fconsole%2Faccount")
	other := r.browser()
	other.want(other.login("viewer", r.viewer), http.StatusForbidden)
	other.wantTo(other.login("viewer", fresh), Path)
}

func TestGuessingThePresentPasswordIsSlowed(t *testing.T) {
	r := newRig(t)
	b := r.as("viewer", r.viewer)
	for range freeOfAccount {
		b.post("account/password", "current", "guess", "password", "correct horse", "again", "correct horse")
	}
	b.want(b.post("account/password", "current", r.viewer, "password", "correct horse", "again", "correct horse"),
		http.StatusTooManyRequests, "Too many wrong passwords.")
}

func TestEndOwnSessions(t *testing.T) {
	r := newRig(t)
	b, second, third, admin := r.as("viewer", r.viewer), r.as("viewer", r.viewer), r.as("viewer", r.viewer), r.as("admin", r.admin)
	ids := map[string]bool{}
	for _, s := range r.doors.sessions.list("viewer") {
		ids[s.ID] = true
	}
	foreign := r.doors.sessions.list("admin")[0].ID
	b.want(b.post("account/sessions/end", "id", foreign), http.StatusNotFound)
	page := b.get("account").body
	if strings.Contains(page, foreign) || len(ids) != 3 {
		t.Errorf("%d sessions; another's is on the page: %t", len(ids), strings.Contains(page, foreign))
	}
	admin.want(admin.get("account"), http.StatusOK)

	b.wantTo(b.post("account/sessions/end", "id", r.idOf(second)), Path+"account?done=done.sessions")
	second.wantTo(second.get(""), Path+"login?back=%2Fconsole%2F")
	third.want(third.get(""), http.StatusOK)
	b.wantTo(b.post("account/sessions/end"), Path+"account?done=done.sessions")
	third.wantTo(third.get(""), Path+"login?back=%2Fconsole%2F")
	b.want(b.get(""), http.StatusOK)
	b.wantTo(b.post("account/sessions/end", "id", r.idOf(b)), Path+"login")
	b.wantTo(b.get(""), Path+"login?back=%2Fconsole%2F")
	r.restart()
	if left := r.doors.sessions.list("viewer"); len(left) > 0 {
		t.Errorf("after a restart there are %v", left)
	}
}

// idOf returns the id of the session that a browser has.
func (r *rig) idOf(b *browser) string {
	r.t.Helper()
	for _, c := range b.client.Jar.Cookies(mustParse(r.t, r.server.URL+Path)) {
		if c.Name == sessionCookie {
			return sessionID(c.Value)
		}
	}
	r.t.Fatal("the browser has no session")
	return ""
}

func TestUsers(t *testing.T) {
	r := newRig(t)
	admin, viewer := r.as("admin", r.admin), r.as("viewer", r.viewer)
	admin.want(admin.get("users"), http.StatusOK, "<td>viewer", "<td>admin", "Last seen")

	for _, test := range []struct{ name, role, says string }{
		{"", "viewer", "allowed are 1 to 64"}, {"a b", "viewer", "allowed are a to z"}, {"viewer", "viewer", "is an account already"}, {"new", "owner", "allowed are viewer and admin"},
	} {
		a := admin.post("users/add", "name", test.name, "role", test.role)
		admin.want(a, map[bool]int{true: http.StatusConflict, false: http.StatusUnprocessableEntity}[test.name == "viewer"],
			test.says, `aria-invalid="true" aria-describedby="name-fault"`)
	}
	password := shownPassword(t, admin.post("users/add", "name", " Fred ", "role", "viewer"))
	if strings.Contains(admin.get("users").body, password) {
		t.Error("the password is shown twice")
	}
	fred := r.as("fred", password)
	fred.want(fred.get("users"), http.StatusForbidden)

	admin.wantTo(admin.post("users/role", "name", "fred", "role", "admin"), Path+"users?done=done.role")
	fred.want(fred.get("users"), http.StatusOK)

	again := shownPassword(t, admin.post("users/reset", "name", "fred"))
	fred.wantTo(fred.get(""), Path+"login?back=%2Fconsole%2F")
	if again == password {
		t.Error("the reset gives the same password")
	}
	fred = r.as("fred", again)
	admin.want(admin.post("users/reset", "name", "admin"), http.StatusConflict, "on the page of your account")
	admin.want(admin.post("users/reset", "name", "none"), http.StatusNotFound)

	admin.wantTo(admin.post("users/sessions/end", "id", r.idOf(viewer)), Path+"users?done=done.sessions")
	viewer.wantTo(viewer.get(""), Path+"login?back=%2Fconsole%2F")
	admin.want(admin.post("users/sessions/end", "id", "none"), http.StatusNotFound)

	admin.wantTo(admin.post("users/delete", "name", "fred"), Path+"users?done=done.deleted")
	fred.wantTo(fred.get(""), Path+"login?back=%2Fconsole%2F")
	admin.want(admin.post("users/delete", "name", "fred"), http.StatusNotFound)
	for _, action := range []string{"add account", "set role", "reset password", "end session", "delete account"} {
		if line := "account=admin remote=127.0.0.1 action=\"" + action + "\""; !strings.Contains(r.log.String(), line) {
			t.Errorf("the log lacks %q:\n%s", line, r.log)
		}
	}
}

// shownPassword takes the password out of a page that shows one.
func shownPassword(t *testing.T, a answered) string {
	t.Helper()
	_, rest, ok := strings.Cut(a.body, `<p class="mono"><strong>`)
	password, _, _ := strings.Cut(rest, "<")
	if a.status != http.StatusOK || !ok || len(password) < 20 {
		t.Fatalf("status %d shows no password:\n%s", a.status, a.body)
	}
	return password
}

func TestTheLastAdminStays(t *testing.T) {
	r := newRig(t)
	admin := r.as("admin", r.admin)
	admin.want(admin.post("users/delete", "name", "admin"), http.StatusConflict, "is the last admin")
	admin.want(admin.post("users/role", "name", "admin", "role", "viewer"), http.StatusConflict, "is the last admin")
	admin.want(admin.get("users"), http.StatusOK)

	admin.wantTo(admin.post("users/role", "name", "viewer", "role", "admin"), Path+"users?done=done.role")
	admin.wantTo(admin.post("users/role", "name", "admin", "role", "viewer"), Path+"account?done=done.role")
	admin.want(admin.get("users"), http.StatusForbidden)
	second := r.as("viewer", r.viewer)
	second.want(second.post("users/delete", "name", "viewer"), http.StatusConflict)
	second.wantTo(second.post("users/delete", "name", "admin"), Path+"users?done=done.deleted")
	admin.wantTo(admin.get(""), Path+"login?back=%2Fconsole%2F")
}

func TestResetPassword(t *testing.T) {
	r := newRig(t)
	admin := r.as("admin", r.admin)
	r.Stop()
	r.server.Close()
	password, err := resetPassword(t.Context(), r.store, newHasher(cheap()), "admin")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.store.Close(); err != nil {
		t.Fatal(err)
	}
	r.open()
	admin.wantTo(admin.get(""), Path+"login?back=%2Fconsole%2F")
	r.as("admin", password)
	if _, err := resetPassword(t.Context(), r.store, newHasher(cheap()), "none"); err == nil {
		t.Error("the password of no account was reset")
	}
}
