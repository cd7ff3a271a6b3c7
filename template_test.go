package stillcast_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast"
)

func TestSnapshotTemplateValidate(t *testing.T) {
	const placeholders = "{AppName} {PushDomain} {StreamID} {Year} {Month} {Day} {Hour} {Minute} {Second} {Width} {Height} {Ext}"
	const allowed = "letters, digits, - ! _ . * and the placeholders " + placeholders
	type template = stillcast.SnapshotTemplate
	long := strings.Repeat("n", 255)
	tests := []struct {
		name   string
		change func(*template)
		want   string
	}{
		{"smallest", func(*template) {}, ""},
		{"least", func(s *template) { s.Interval = 2 * time.Second; s.Quality = 1; s.Width = 1 }, ""},
		{"most", func(s *template) {
			s.Name, s.Interval, s.Width, s.Height, s.Quality = long, 300*time.Second, 3000, 2000, 100
			s.Bucket, s.Region = strings.Repeat("b", 63), strings.Repeat("r", 63)
		}, ""},
		{"name in Chinese", func(s *template) { s.Name = "截图" }, ""},
		{"no name", func(s *template) { s.Name = "" }, "name: is empty"},
		{"long name", func(s *template) { s.Name = long + "n" }, "name: is 256 bytes long; at most 255 are allowed"},
		{"short interval", func(s *template) { s.Interval = time.Second }, "interval: is 1s; allowed are 2s to 5m0s"},
		{"negative interval", func(s *template) { s.Interval = -time.Second }, "interval: is -1s; allowed are 2s to 5m0s"},
		{"long interval", func(s *template) { s.Interval = 301 * time.Second }, "interval: is 5m1s; allowed are 2s to 5m0s"},
		{"fraction", func(s *template) { s.Interval = 2500 * time.Millisecond }, "interval: is 2.5s; whole seconds are allowed"},
		{"width", func(s *template) { s.Width = 3001 }, "width: is 3001; allowed are 0 to 3000"},
		{"negative width", func(s *template) { s.Width = -1 }, "width: is -1; allowed are 0 to 3000"},
		{"height", func(s *template) { s.Height = 2001 }, "height: is 2001; allowed are 0 to 2000"},
		{"negative height", func(s *template) { s.Height = -1 }, "height: is -1; allowed are 0 to 2000"},
		{"quality", func(s *template) { s.Quality = 101 }, "quality: is 101; allowed are 0 to 100"},
		{"app id", func(s *template) { s.AppID = -1 }, "app_id: is -1; it must not be negative"},
		{"bucket", func(s *template) { s.Bucket = "../x" }, `bucket: "../x" holds '.'; allowed are lower-case letters, digits and '-'`},
		{"bucket before region", func(s *template) { s.Bucket, s.Region = "A", "B" }, `bucket: "A" holds 'A'; allowed are lower-case letters, digits and '-'`},
		{"region", func(s *template) { s.Region = "a/b" }, `region: "a/b" holds '/'; allowed are lower-case letters, digits and '-'`},
		{"long bucket", func(s *template) { s.Bucket = strings.Repeat("b", 64) }, "bucket: is 64 bytes long; at most 63 are allowed"},
		{"long region", func(s *template) { s.Region = strings.Repeat("r", 64) }, "region: is 64 bytes long; at most 63 are allowed"},

		{"every word", func(s *template) {
			s.Accuracy, s.Format, s.Fit, s.EXIF, s.Facts = stillcast.AccuracyExact, stillcast.FormatWebP, stillcast.FitCover, true, true
			s.SkipBlack, s.SkipUnchanged = true, true
		}, ""},
		{"the other words", func(s *template) {
			s.Accuracy, s.Format, s.Fit, s.Progressive = stillcast.AccuracyKeyframe, stillcast.FormatJPEG, stillcast.FitContain, true
		}, ""},
		{"progressive by default", func(s *template) { s.Progressive = true }, ""},
		{"accuracy", func(s *template) { s.Accuracy = "frame" }, `accuracy: is "frame"; allowed are keyframe and exact`},
		{"format", func(s *template) { s.Format = "JPEG" }, `format: is "JPEG"; allowed are jpeg and webp`},
		{"fit", func(s *template) { s.Fit = "crop" }, `fit: is "crop"; allowed are stretch, contain and cover`},
		{
			"progressive WebP", func(s *template) { s.Progressive, s.Format = true, stillcast.FormatWebP },
			"progressive: is for the format jpeg; pictures of the format webp are never progressive",
		},
		{"renditions", func(s *template) {
			s.Renditions = stillcast.Renditions{{Width: 3000, Height: 2000}, {Width: 640}, {Height: 360}, {Width: 640, Height: 360}}
		}, ""},
		{"a hole in renditions", func(s *template) { s.Renditions[1].Width = 1 }, "renditions[0]: has neither width nor height; give one of them or both"},
		{"wide rendition", func(s *template) { s.Renditions[0].Width = 3001 }, "renditions[0].width: is 3001; allowed are 0 to 3000"},
		{"high rendition", func(s *template) {
			s.Renditions = stillcast.Renditions{{Width: 1}, {Width: 1, Height: 2001}}
		}, "renditions[1].height: is 2001; allowed are 0 to 2000"},
		{"double rendition", func(s *template) {
			s.Renditions = stillcast.Renditions{{Width: 1}, {Width: 2}, {Width: 1}}
		}, "renditions[2]: is 1x0, as [0] is already"},
		{"rendition as the picture", func(s *template) {
			s.Width, s.Height, s.Renditions = 640, 360, stillcast.Renditions{{Width: 1}, {Width: 640, Height: 360}}
		}, "renditions[1]: is 640x360, as the picture itself"},
		{"heartbeats", func(s *template) { s.Heartbeat = 10 * time.Second }, ""},
		{"slow heartbeats", func(s *template) { s.Heartbeat = 24 * time.Hour }, ""},
		{"heartbeat by default", func(s *template) { s.Interval = 300 * time.Second }, ""},
		{"fast heartbeats", func(s *template) { s.Heartbeat = 9 * time.Second }, "heartbeat: is 9s; allowed are 10s, the interval, to 24h0m0s"},
		{"no heartbeats", func(s *template) { s.Heartbeat = 25 * time.Hour }, "heartbeat: is 25h0m0s; allowed are 10s, the interval, to 24h0m0s"},

		{"prefix as in Terraform's test", func(s *template) { s.Prefix = "/test1-test2/" }, ""},
		{"all placeholders", func(s *template) { s.Prefix = strings.ReplaceAll(placeholders, " ", "-") }, ""},
		{"all characters", func(s *template) { s.Prefix, s.FileName = "/aZ09-!_.*/", "aZ09-!_.*" }, ""},
		{"space in prefix", func(s *template) { s.Prefix = "/a b" }, `prefix: "/a b" holds ' '; allowed are /, ` + allowed},
		{"unknown placeholder", func(s *template) { s.Prefix = "{Stream}" }, `prefix: "{Stream}" holds '{'; allowed are /, ` + allowed},
		{"placeholder in lower case", func(s *template) { s.FileName = "{streamid}" }, `file_name: "{streamid}" holds '{'; allowed are ` + allowed},
		{"placeholder within a placeholder", func(s *template) { s.FileName = "{Ex{AppName}t}" }, `file_name: "{Ex{AppName}t}" holds '{'; allowed are ` + allowed},
		{"slash in file name", func(s *template) { s.FileName = "a/b" }, `file_name: "a/b" holds '/'; allowed are ` + allowed},
		{"backslash", func(s *template) { s.Prefix = `a\b` }, `prefix: "a\\b" holds '\\'; allowed are /, ` + allowed},
		{"letter outside ASCII", func(s *template) { s.FileName = "é" }, `file_name: "é" holds 'é'; allowed are ` + allowed},
		{"up", func(s *template) { s.Prefix = "/a/../b" }, `prefix: "/a/../b" holds the path part "..", which is not allowed`},
		{"here", func(s *template) { s.Prefix = "./b" }, `prefix: "./b" holds the path part ".", which is not allowed`},
		{"file name up", func(s *template) { s.FileName = ".." }, `file_name: ".." holds the path part "..", which is not allowed`},
		{"many folders", func(s *template) { s.Prefix = "{AppName}/{PushDomain}/{StreamID}" }, ""},
		{
			"too many folders of WebP", func(s *template) { s.Prefix, s.Format = strings.Repeat("/{AppName}", 4), stillcast.FormatWebP },
			"prefix: together with file_name it makes names of up to 1004 bytes; at most 969 are allowed",
		},
		{
			"too many folders", func(s *template) { s.Prefix = strings.Repeat("/{AppName}", 4) },
			"prefix: together with file_name it makes names of up to 1004 bytes; at most 969 are allowed",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := template{Name: "every10s"}
			tt.change(&s)
			wantError(t, s.Validate(), stillcast.CodeInvalid, tt.want)
		})
	}
}

func TestSnapshotTemplateWithDefaults(t *testing.T) {
	want := stillcast.SnapshotTemplate{
		Name: "t", Interval: 10 * time.Second, Prefix: "/{Year}-{Month}-{Day}",
		FileName: "{StreamID}-screenshot-{Hour}-{Minute}-{Second}-{Width}x{Height}{Ext}", Quality: 85,
		Accuracy: stillcast.AccuracyKeyframe, Format: stillcast.FormatJPEG, Fit: stillcast.FitStretch, Heartbeat: 5 * time.Minute,
	}
	if diff := cmp.Diff(want, stillcast.SnapshotTemplate{Name: "t"}.WithDefaults()); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
	given := stillcast.SnapshotTemplate{
		ID: 1, Name: "t", Description: "d", Interval: 3 * time.Second, Width: 4, Height: 5, Bucket: "b", AppID: 6, Region: "r",
		Prefix: "p", FileName: "f", Quality: 7,
		Accuracy: stillcast.AccuracyExact, Format: stillcast.FormatWebP, Fit: stillcast.FitCover, Progressive: true, EXIF: true,
		Renditions: stillcast.Renditions{{Width: 8}}, SkipBlack: true, SkipUnchanged: true, Heartbeat: 9 * time.Second, Facts: true,
	}
	if diff := cmp.Diff(given, given.WithDefaults()); diff != "" {
		t.Errorf("what was given (-want +got):\n%s", diff)
	}
}

func TestCallbackTemplateValidate(t *testing.T) {
	const user = "holds a user name or password, which is not allowed; events are signed with the template's key instead"
	type template = stillcast.CallbackTemplate
	tests := []struct {
		name     string
		template template
		want     string
	}{
		{"one URL", template{Name: "a", SnapshotURL: "https://example.com/hook?a=b"}, ""},
		{"only the begin", template{Name: "a", StreamBeginURL: "http://example.com"}, ""},
		{"only the end", template{Name: "a", StreamEndURL: "http://[::1]:8080/"}, ""},
		{"only one that is kept", template{Name: "a", Kept: stillcast.KeptCallbacks{StreamMixURL: "http://a"}}, ""},
		{"no name", template{SnapshotURL: "http://a"}, "name: is empty"},
		{"no URL", template{Name: "a"}, "snapshot_url: at least one of snapshot_url, stream_begin_url, stream_end_url and push_exception_url must be given"},
		{
			"no URL but levels",
			template{Name: "a", Kept: stillcast.KeptCallbacks{RecordExceptionLevels: "error"}},
			"snapshot_url: at least one of snapshot_url, stream_begin_url, stream_end_url and push_exception_url must be given",
		},
		{"scheme", template{Name: "a", SnapshotURL: "ftp://a/b"}, `snapshot_url: "ftp://a/b" has the scheme "ftp"; allowed are http and https`},
		{"no scheme", template{Name: "a", StreamEndURL: "example.com/hook"}, `stream_end_url: "example.com/hook" has the scheme ""; allowed are http and https`},
		{"no host", template{Name: "a", StreamBeginURL: "http:///hook"}, `stream_begin_url: "http:///hook" has no host`},
		{"port alone", template{Name: "a", StreamBeginURL: "http://:80/"}, `stream_begin_url: "http://:80/" has no host`},
		{"password", template{Name: "a", SnapshotURL: "https://me:hunter2@a/"}, "snapshot_url: " + user},
		{"password and scheme", template{Name: "a", SnapshotURL: "ftp://me:hunter2@a/"}, "snapshot_url: " + user},
		{
			"password and port",
			template{Name: "a", SnapshotURL: "https://me:hunter2@a:b/"},
			`snapshot_url: is not a URL: invalid port ":b" after host`,
		},
		{"control character", template{Name: "a", SnapshotURL: "http://a/\n"}, "snapshot_url: is not a URL: net/url: invalid control character in URL"},
		{"escape", template{Name: "a", SnapshotURL: "http://a/%zz"}, `snapshot_url: is not a URL: invalid URL escape "%zz"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wantError(t, tt.template.Validate(), stillcast.CodeInvalid, tt.want)
		})
	}
}

func TestKeptCallbacksValidate(t *testing.T) {
	for field, kept := range map[string]stillcast.KeptCallbacks{
		"record_url":           {RecordURL: "ftp://a/"},
		"record_status_url":    {RecordStatusURL: "ftp://a/"},
		"censorship_url":       {CensorshipURL: "ftp://a/"},
		"stream_mix_url":       {StreamMixURL: "ftp://a/"},
		"audio_audit_url":      {AudioAuditURL: "ftp://a/"},
		"record_exception_url": {RecordExceptionURL: "ftp://a/"},
	} {
		err := stillcast.CallbackTemplate{Name: "a", SnapshotURL: "http://a/", Kept: kept}.Validate()
		wantError(t, err, stillcast.CodeInvalid, field+`: "ftp://a/" has the scheme "ftp"; allowed are http and https`)
	}
}

func TestCallbackTemplateURL(t *testing.T) {
	tpl := stillcast.CallbackTemplate{SnapshotURL: "shot", StreamBeginURL: "begin", StreamEndURL: "end", PushExceptionURL: "exception"}
	for event, want := range map[stillcast.EventType]string{
		stillcast.EventShot: "shot", stillcast.EventPushBegin: "begin", stillcast.EventPushEnd: "end",
		stillcast.EventPushException: "exception", 317: "",
	} {
		if got := tpl.URL(event); got != want {
			t.Errorf("URL(%d) = %q, want %q", event, got, want)
		}
	}
}

func TestEventTypeString(t *testing.T) {
	for event, want := range map[stillcast.EventType]string{
		stillcast.EventShot: "shot", stillcast.EventPushBegin: "push_begin", stillcast.EventPushEnd: "push_end", 317: "unknown",
	} {
		if got := fmt.Sprint(event); got != want {
			t.Errorf("event %d prints %q, want %q", int(event), got, want)
		}
	}
}

func TestTemplatePictures(t *testing.T) {
	s := stillcast.SnapshotTemplate{
		Width: 1280, Quality: 7, Fit: stillcast.FitContain, Progressive: true,
		Renditions: stillcast.Renditions{{Width: 640, Height: 360}, {Height: 90}},
	}.WithDefaults()
	spec := func(width, height int) stillcast.PictureSpec {
		return stillcast.PictureSpec{
			Size: stillcast.Size{Width: width, Height: height},
			Fit:  stillcast.FitContain, Format: stillcast.FormatJPEG, Quality: 7, Progressive: true,
		}
	}
	want := []stillcast.PictureSpec{spec(1280, 0), spec(640, 360), spec(0, 90)}
	if diff := cmp.Diff(want, s.Pictures()); diff != "" {
		t.Errorf("pictures (-want +got):\n%s", diff)
	}
}

func TestShotNamesItsPictures(t *testing.T) {
	shot := stillcast.Shot{Key: "2026-01-02/a.jpg", Renditions: []stillcast.Rendition{{Key: "b.jpg"}}}
	if got := []string{shot.PicURL(), shot.Renditions[0].PicURL()}; !slices.Equal(got, []string{"/2026-01-02/a.jpg", "/b.jpg"}) {
		t.Errorf("pic_urls are %q", got)
	}
	if got := shot.Keys(); !slices.Equal(got, []string{"2026-01-02/a.jpg", "b.jpg"}) {
		t.Errorf("keys are %q", got)
	}
}
