package console

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/stillcast/stillcast"
)

// errLoggedOut says that who asked must log in first.
var errLoggedOut = errors.New("not logged in")

// refusal is an error that is shown to the viewer in their own language.
type refusal struct {
	status int // HTTP
	key    string
	args   []any
}

// refusedf returns a refusal with the words of a key.
func refusedf(status int, key string, args ...any) error { return &refusal{status, key, args} }

func (r *refusal) Error() string { return fmt.Sprintf("%s %v", r.key, r.args) }

// fail shows an error: the login page to who is logged out, a message to others.
func (c *Console) fail(v *view, err error) {
	if errors.Is(err, errLoggedOut) {
		c.sendToLogin(v)
		return
	}
	status, text := c.explain(v, err)
	if v.byHtmx() {
		if err := v.notice(status, "bad", text); err != nil {
			c.log.Error("showing an error failed", "path", v.r.URL.Path, "error", err)
		}
		return
	}
	if err := v.pageWith(status, "error", text); err != nil {
		c.log.Error("showing an error failed", "path", v.r.URL.Path, "error", err)
		http.Error(v.w, text, status)
	}
}

// explain returns the HTTP status and the words for an error. The API's own errors
// say what is wrong and what is allowed; what else goes wrong is logged, and the
// viewer is told that it was.
func (c *Console) explain(v *view, err error) (status int, text string) {
	if r, ok := errors.AsType[*refusal](err); ok {
		if said, err := v.words.text(r.key, r.args...); err == nil {
			return r.status, said
		}
	}
	switch stillcast.CodeOf(err) {
	case stillcast.CodeNotFound:
		return http.StatusNotFound, err.Error()
	case stillcast.CodeInvalid, stillcast.CodeLimit:
		return http.StatusUnprocessableEntity, err.Error()
	case stillcast.CodeConflict:
		return http.StatusConflict, err.Error()
	case stillcast.CodeDenied:
		return http.StatusForbidden, err.Error()
	}
	if !errors.Is(err, context.Canceled) {
		c.log.LogAttrs(v.r.Context(), slog.LevelError, "a page failed", slog.String("path", v.r.URL.Path), slog.String("error", err.Error()))
	}
	text, wordsErr := v.words.text("error.internal")
	if wordsErr != nil {
		text = http.StatusText(http.StatusInternalServerError)
	}
	return http.StatusInternalServerError, text
}

// sendToLogin sends a browser to the login page and, after that, back.
func (c *Console) sendToLogin(v *view) {
	back := Path
	switch current, err := url.Parse(v.r.Header.Get("Hx-Current-Url")); {
	case v.byHtmx() && err == nil:
		back = backTo(current.RequestURI())
	case v.r.Method == http.MethodGet && !v.byHtmx():
		back = v.r.URL.RequestURI()
	}
	location := Path + "login?" + url.Values{"back": {back}}.Encode()
	if err := v.redirect(location); err != nil {
		c.log.Error("sending to the login page failed", "error", err)
	}
}
