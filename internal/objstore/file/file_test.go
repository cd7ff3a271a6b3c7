package file_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/stillcast/stillcast/internal/objstore/file"
	"github.com/stillcast/stillcast/internal/objstore/objstoretest"
	"github.com/stillcast/stillcast/internal/pictures"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSuite(t *testing.T) {
	t.Parallel()
	objstoretest.Run(t, suite(t, options(t)))
}

func TestSuiteWithoutFsync(t *testing.T) {
	t.Parallel()
	o := options(t)
	o.Config.Fsync = false
	objstoretest.Run(t, suite(t, o))
}

// suite has the pictures served as the program does.
func suite(t *testing.T, o file.Options) objstoretest.Suite {
	t.Helper()
	var served atomic.Pointer[pictures.Handler] // of the store that was opened last
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.StripPrefix("/base", served.Load()).ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	o.PublicURL = server.URL + "/base"
	return objstoretest.Suite{
		Open: func(t *testing.T) objstoretest.Store {
			t.Helper()
			o := o
			o.DataDir = t.TempDir()
			s := openStore(t, o)
			h, err := pictures.New(s, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
			if err != nil {
				t.Fatal(err)
			}
			served.Store(h)
			return s
		},
		Client: server.Client(),
		Lacks: objstoretest.Lacks{
			ContentType: true, CacheControl: true, Metadata: true, NestedKeys: true, MissingBuckets: true, Server: true,
		},
	}
}

func options(t *testing.T) file.Options {
	t.Helper()
	return file.Options{Config: file.DefaultConfig(), DataDir: t.TempDir(), PublicURL: "https://still.example.com/base"}
}

func openStore(t *testing.T, o file.Options) *file.Store {
	t.Helper()
	s, err := file.Open(o)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}
