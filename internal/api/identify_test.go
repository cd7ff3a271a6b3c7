package api

import (
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/guard"
)

func TestIdentify(t *testing.T) {
	s := newRig(t).api
	at := func(remote, authorization string) *http.Request {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://a.example.com/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.RemoteAddr = remote
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		return r
	}
	basic := func(id, key string) string {
		r := at("", "")
		r.SetBasicAuth(id, key)
		return r.Header.Get("Authorization")
	}
	for authorization, want := range map[string]string{
		basic(testID, testKey):                       testID,
		basic(readerID, readerKey):                   readerID,
		"Bearer " + testID + ":" + testKey:           testID,
		"bearer  " + testID + ":" + testKey:          testID,
		"":                                           "",
		basic(testID, readerKey):                     "",
		basic(testID, ""):                            "",
		basic("AKIDnobody", ""):                      "", // the zero credential has the key ""
		basic("", ""):                                "",
		"Bearer " + testID:                           "",
		"Bearer AKIDnobody:":                         "",
		"Bearer :":                                   "",
		"Digest " + testID + ":" + testKey:           "",
		"TC3-HMAC-SHA256 Credential=" + testID + "/": "",
	} {
		c, wait, err := s.Identify(at("10.0.0.1:1", authorization))
		if c.SecretID != want || wait != 0 || (err == nil) != (want != "") || err != nil && stillcast.CodeOf(err) != stillcast.CodeDenied {
			t.Errorf("%q is of %q, %v; want %q", authorization, c.SecretID, err, want)
		}
		s.guard.Passed(guard.Network(at("10.0.0.1:1", "")))
	}
}

func TestIdentifySlowsGuessingDown(t *testing.T) {
	s := newRig(t).api
	now := time.Now()
	s.guard = guard.New[netip.Prefix](freeTries, func() time.Time { return now })
	try := func(remote, key string) (time.Duration, error) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://a.example.com/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.RemoteAddr = remote
		r.SetBasicAuth(testID, key)
		_, wait, err := s.Identify(r)
		return wait, err
	}
	for range freeTries {
		if wait, err := try("10.0.0.1:1", "guess"); wait != 0 || stillcast.CodeOf(err) != stillcast.CodeDenied {
			t.Fatalf("a first guess must wait %s, %v", wait, err)
		}
	}
	if wait, err := try("10.0.0.1:2", testKey); wait == 0 || stillcast.CodeOf(err) != stillcast.CodeLimit {
		t.Errorf("after %d guesses the right key: wait %s, %v; want a wait", freeTries, wait, err)
	}
	if _, err := try("10.0.0.2:1", testKey); err != nil {
		t.Errorf("another address: %v", err)
	}
	now = now.Add(2 * time.Second)
	if _, err := try("10.0.0.1:1", testKey); err != nil {
		t.Errorf("after the wait: %v", err)
	}
}
