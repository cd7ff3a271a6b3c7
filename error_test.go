package stillcast_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast"
)

func TestErrorf(t *testing.T) {
	got := stillcast.Errorf(stillcast.CodeLimit, "width", "is %d", 7)
	want := &stillcast.Error{Code: stillcast.CodeLimit, Field: "width", Message: "is 7"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
	if got.Error() != "width: is 7" {
		t.Errorf("it reads %q", got)
	}
	if text := stillcast.Errorf(stillcast.CodeLimit, "", "too many").Error(); text != "too many" {
		t.Errorf("without a field it reads %q", text)
	}
}

func TestWithin(t *testing.T) {
	plain := errors.New("plain")
	tests := []struct {
		name string
		err  error
		want error
	}{
		{"nil", nil, nil},
		{"other errors stay", plain, plain},
		{"field", stillcast.Errorf(stillcast.CodeInvalid, "key", "is empty"), stillcast.Errorf(stillcast.CodeInvalid, "auth.key", "is empty")},
		{"no field", stillcast.Errorf(stillcast.CodeLimit, "", "is full"), stillcast.Errorf(stillcast.CodeLimit, "auth", "is full")},
		{
			"wrapped", fmt.Errorf("check: %w", stillcast.Errorf(stillcast.CodeDenied, "key", "is wrong")),
			stillcast.Errorf(stillcast.CodeDenied, "auth.key", "is wrong"),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := stillcast.Within("auth", tt.err)
			same := cmp.Comparer(func(x, y error) bool { return errors.Is(x, y) })
			if want, ok := errors.AsType[*stillcast.Error](tt.want); ok {
				if diff := cmp.Diff(error(want), got); diff != "" {
					t.Errorf("error (-want +got):\n%s", diff)
				}
				return
			}
			if diff := cmp.Diff(tt.want, got, same); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
	nested := stillcast.Within("resources", stillcast.Within("domains[1]", stillcast.Errorf(stillcast.CodeInvalid, "name", "is empty")))
	wantError(t, nested, stillcast.CodeInvalid, "resources.domains[1].name: is empty")
}

func TestCodeOf(t *testing.T) {
	denied := stillcast.Errorf(stillcast.CodeDenied, "a", "b")
	tests := []struct {
		err  error
		want stillcast.Code
	}{
		{nil, ""},
		{errors.New("plain"), ""},
		{denied, stillcast.CodeDenied},
		{fmt.Errorf("push: %w", denied), stillcast.CodeDenied},
		{errors.Join(errors.New("plain"), denied), stillcast.CodeDenied},
		{stillcast.Within("p", denied), stillcast.CodeDenied},
	}
	for _, tt := range tests {
		if got := stillcast.CodeOf(tt.err); got != tt.want {
			t.Errorf("CodeOf(%v) = %q, want %q", tt.err, got, tt.want)
		}
	}
}
