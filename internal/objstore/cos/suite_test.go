package cos_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stillcast/stillcast/internal/objstore/cos/costest"
	"github.com/stillcast/stillcast/internal/objstore/objstoretest"
)

func TestSuite(t *testing.T) {
	// Presigned URLs lead to hosts of COS: each test's own double answers for them.
	var current *url.URL
	transport := &http.Transport{Proxy: func(*http.Request) (*url.URL, error) { return current, nil }, DisableKeepAlives: true}
	objstoretest.Run(t, objstoretest.Suite{
		Open: func(t *testing.T) objstoretest.Store {
			t.Helper()
			_, c := double(t)
			current, _ = url.Parse(c.Proxy)
			return open(t, c)
		},
		Faulty: faulty,
		Client: &http.Client{Transport: transport},
	})
}

func faulty(t *testing.T, fault objstoretest.Fault) objstoretest.Store {
	t.Helper()
	d, c := double(t)
	switch fault {
	case objstoretest.FaultDenied:
		c.SecretKey = "another-key"
	case objstoretest.FaultThrottled:
		d.Fail(costest.Throttled)
	case objstoretest.FaultUnavailable:
		d.Fail(costest.Plain(http.StatusServiceUnavailable))
	case objstoretest.FaultBroken:
		d.Fail(costest.Broken)
	case objstoretest.FaultRefused:
		gone := httptest.NewServer(d)
		gone.Close()
		c.Proxy = gone.URL
	case objstoretest.FaultReset:
		d.Fail(costest.Reset)
	case objstoretest.FaultSilent:
		d.Fail(costest.Silent)
	case objstoretest.FaultHalf:
		d.Fail(costest.HalfAnswer)
	default:
		t.Fatalf("the double has no fault %q", fault)
	}
	return open(t, c)
}
