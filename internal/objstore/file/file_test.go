package file_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/stillcast/stillcast/internal/objstore/file"
	"github.com/stillcast/stillcast/internal/objstore/objstoretest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var lacks = objstoretest.Lacks{ContentType: true, CacheControl: true, NestedKeys: true}

func TestSuite(t *testing.T) {
	objstoretest.Run(t, func(t *testing.T) objstoretest.Store {
		t.Helper()
		return openStore(t, options(t))
	}, lacks)
}

func TestSuiteWithoutFsync(t *testing.T) {
	objstoretest.Run(t, func(t *testing.T) objstoretest.Store {
		t.Helper()
		o := options(t)
		o.Config.Fsync = false
		return openStore(t, o)
	}, lacks)
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
