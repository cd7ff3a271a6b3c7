package stillcast_test

import (
	"errors"
	"testing"

	"go.uber.org/goleak"

	"github.com/stillcast/stillcast"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// wantError fails unless err is an [stillcast.Error] of that code that reads
// want, or nil for "".
func wantError(t *testing.T, err error, code stillcast.Code, want string) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Errorf("error %q, want none", err)
		}
		return
	}
	e, ok := errors.AsType[*stillcast.Error](err)
	switch {
	case !ok:
		t.Errorf("error %v of type %T, want %q", err, err, want)
	case e.Error() != want:
		t.Errorf("error\n%s\nwant\n%s", e, want)
	case e.Code != code:
		t.Errorf("error %q has the code %q, want %q", e, e.Code, code)
	}
}
