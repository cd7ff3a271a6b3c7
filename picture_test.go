package stillcast_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast"
)

func TestFormat(t *testing.T) {
	for format, want := range map[stillcast.Format][2]string{
		"":                   {".jpg", "image/jpeg"},
		stillcast.FormatJPEG: {".jpg", "image/jpeg"},
		stillcast.FormatWebP: {".webp", "image/webp"},
	} {
		if got := [2]string{format.Ext(), format.ContentType()}; got != want {
			t.Errorf("format %q has %q, want %q", format, got, want)
		}
	}
}

func TestNewRenditions(t *testing.T) {
	sizes := []stillcast.Size{{Width: 1}, {Height: 2}, {Width: 3, Height: 4}}
	r, err := stillcast.NewRenditions(sizes)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sizes, r.Sizes()); diff != "" {
		t.Errorf("sizes (-want +got):\n%s", diff)
	}
	if none, err := stillcast.NewRenditions(nil); err != nil || len(none.Sizes()) != 0 {
		t.Errorf("no sizes became %v, %v", none, err)
	}
	for want, sizes := range map[string][]stillcast.Size{
		"renditions: holds 5 sizes; at most 4 are allowed":                      {{Width: 1}, {Width: 2}, {Width: 3}, {Width: 4}, {Width: 5}},
		"renditions[1]: has neither width nor height; give one of them or both": {{Width: 1}, {}},
		"renditions[0].width: is -1; allowed are 0 to 3000":                     {{Width: -1}},
		"renditions[0].height: is 2001; allowed are 0 to 2000":                  {{Height: 2001}},
		"renditions[1]: is 0x9, as [0] is already":                              {{Height: 9}, {Height: 9}},
	} {
		_, err := stillcast.NewRenditions(sizes)
		wantError(t, err, stillcast.CodeInvalid, want)
	}
}
