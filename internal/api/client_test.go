package api

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stillcast/stillcast/internal/api/client"
)

func TestClient(t *testing.T) {
	r := newRig(t)
	c := &client.Client{Endpoint: r.URL, SecretID: testID, SecretKey: testKey}
	var made templateIDReply
	if err := c.Call(t.Context(), "CreateLiveSnapshotTemplate", template, &made); err != nil || made.TemplateID != 1 {
		t.Errorf("id %d, %v", made.TemplateID, err)
	}
	if err := c.Call(t.Context(), "DeleteLiveSnapshotTemplate", map[string]any{"TemplateId": 1}, nil); err != nil {
		t.Error(err)
	}
	err := c.Call(t.Context(), "DescribeLiveSnapshotTemplate", map[string]any{"TemplateId": 1}, nil)
	e, ok := errors.AsType[*client.Error](err)
	if !ok || e.Code != "FailedOperation.NotFound" || e.Message == "" || e.RequestID == "" || !strings.Contains(err.Error(), "DescribeLiveSnapshotTemplate: FailedOperation.NotFound: ") {
		t.Errorf("error %v, want a typed one", err)
	}
}

func TestClientSaysWhatIsNoAPI(t *testing.T) {
	pages := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-TC-Action") == "Missing" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte("<html>"))
	}))
	defer pages.Close()
	for _, test := range []struct{ endpoint, action, says string }{
		{"127.0.0.1:8080", "Any", "expected http(s)://HOST[:PORT]"},
		{pages.URL, "Missing", "404 Not Found; is " + pages.URL + " the address of listen.http?"},
		{pages.URL, "Page", "none of a control API"},
	} {
		c := &client.Client{Endpoint: test.endpoint, SecretID: testID, SecretKey: testKey}
		if err := c.Call(t.Context(), test.action, nil, nil); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: error %v, want %q", test.endpoint, err, test.says)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}
