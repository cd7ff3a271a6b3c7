package console

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"github.com/stillcast/stillcast/internal/state"
)

// The cookies.
const (
	sessionCookie  = "stillcast_session"
	deviceCookie   = "stillcast_device"   // shows that this browser was logged in before
	languageCookie = "stillcast_language" // what the viewer chose
	themeCookie    = "stillcast_theme"
	keysCookie     = "stillcast_keys"
)

const yearLong = 365 * 24 * time.Hour

// setCookie sets a cookie that scripts do not see and other sites do not send.
// Over HTTPS its name has the prefix __Host-, so that no other host of the domain
// and no connection without TLS can set one in its place (RFC 6265bis, 4.1.3.2);
// the prefix asks for the path /.
func (v *view) setCookie(name, value string, lifetime time.Duration) {
	c := &http.Cookie{
		Name: v.cookieName(name), Value: value, Path: Path, MaxAge: int(lifetime / time.Second),
		HttpOnly: true, Secure: v.from.https, SameSite: http.SameSiteStrictMode,
	}
	if c.Secure {
		c.Path = "/"
	}
	if lifetime <= 0 {
		c.MaxAge = -1 // removes it
	}
	http.SetCookie(v.w, c)
}

func (v *view) cookie(name string) string {
	c, err := v.r.Cookie(v.cookieName(name))
	if err != nil {
		return ""
	}
	return c.Value
}

func (v *view) cookieName(name string) string {
	if v.from.https {
		return "__Host-" + name
	}
	return name
}

// token is what forms of a session carry, which no other site can read: made from
// the cookie, so that it needs no place of its own.
func token(cookie string) string {
	return base64.RawURLEncoding.EncodeToString(mac(cookie, "csrf"))
}

// tokenHeader carries the token where htmx or a script asks.
const tokenHeader = "X-Csrf-Token"

// sentToken tells whether a request carries the token of its session.
func (v *view) sentToken() bool {
	sent := v.r.Header.Get(tokenHeader)
	if sent == "" {
		sent = v.r.PostFormValue("csrf")
	}
	return hmac.Equal([]byte(sent), []byte(v.token))
}

// device names a browser in which an account was logged in before, "" where it
// was not. Guesses from elsewhere do not slow such a browser down, so nobody can
// keep the owner of an account out of it by guessing.
func (v *view) device(a state.ConsoleAccount) string {
	nonce, proof, _ := strings.Cut(v.cookie(deviceCookie), ".")
	if a.Password == "" || len(nonce) != len(newPassword()) || !hmac.Equal([]byte(proof), []byte(deviceProof(a, nonce))) {
		return ""
	}
	return nonce
}

// remember gives a browser the cookie that [view.device] looks for.
func (v *view) remember(a state.ConsoleAccount) {
	nonce := newPassword()
	v.setCookie(deviceCookie, nonce+"."+deviceProof(a, nonce), yearLong)
}

// deviceProof is good as long as the account has its password: the key is the
// hash of it, which only the server has.
func deviceProof(a state.ConsoleAccount, nonce string) string {
	return base64.RawURLEncoding.EncodeToString(mac(a.Password.Reveal(), "device "+a.Name+" "+nonce))
}

func mac(key, text string) []byte {
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(text))
	return m.Sum(nil)
}
