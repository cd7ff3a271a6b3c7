package config_test

import (
	"errors"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rogpeppe/go-internal/txtar"
	"go.uber.org/goleak"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/api"
	"github.com/stillcast/stillcast/internal/config"
	"github.com/stillcast/stillcast/internal/console"
	"github.com/stillcast/stillcast/internal/ingest"
	"github.com/stillcast/stillcast/internal/ingest/rtmp"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/amf0"
	"github.com/stillcast/stillcast/internal/notify"
	"github.com/stillcast/stillcast/internal/objstore/file"
	"github.com/stillcast/stillcast/internal/objstore/s3"
	"github.com/stillcast/stillcast/internal/spool"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestDefaultIsValid(t *testing.T) {
	c := config.Default()
	for _, err := range c.Validate() {
		t.Error(err)
	}
}

// TestFaults reads testdata/faults.txtar.
func TestFaults(t *testing.T) {
	archive, err := txtar.ParseFile(filepath.Join("testdata", "faults.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	if len(archive.Files) == 0 || len(archive.Files)%2 != 0 {
		t.Fatalf("%d files; want pairs of NAME.yaml and NAME.err", len(archive.Files))
	}
	for i := 0; i < len(archive.Files); i += 2 {
		input, output := archive.Files[i], archive.Files[i+1]
		name := strings.TrimSuffix(input.Name, ".yaml")
		if output.Name != name+".err" {
			t.Fatalf("%s is followed by %s", input.Name, output.Name)
		}
		t.Run(name, func(t *testing.T) {
			_, err := config.Parse(input.Name, input.Data)
			if err == nil {
				t.Fatal("no error")
			}
			want := strings.ReplaceAll(strings.TrimSpace(string(output.Data)), "ALLKEYS", allKeys())
			if diff := cmp.Diff(want, err.Error()); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestContract(t *testing.T) {
	got, err := config.Load(filepath.Join("testdata", "contract.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	want := config.Default()
	want.DataDir = "/var/lib/stillcast"
	want.PublicURL = "https://still.example.com/base"
	want.TimeZone = "-05:30"
	want.Log = config.Log{Level: "debug", Format: "json"}
	want.Listen = config.Listen{RTMP: ":1935, unix:/run/rtmp.sock", RTMPS: ":443", HTTP: "[::1]:8080", Ops: "localhost:8081"}
	want.Storage = contractStorage()
	want.Ingest.Gate = ingest.Config{MaxPushesPerDomain: 100}
	want.Ingest.RTMP.TLS = rtmp.TLS{Certificate: "/tls/chain.pem", Key: "/tls/key.pem"}
	want.Ingest.RTMP.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	want.Ingest.RTMP.UnixMode = "600"
	want.Ingest.RTMP.ConnectTimeout = 2 * time.Second
	want.Ingest.RTMP.IdleTimeout = time.Minute
	want.Ingest.RTMP.MaxConnections = 20000
	want.Ingest.RTMP.MaxPerAddress = 0
	want.Ingest.RTMP.MaxBitrate = 20_000_000
	want.Ingest.RTMP.Limits.ChunkStreams = 32
	want.Ingest.RTMP.Limits.AudioBytes, want.Ingest.RTMP.Limits.DataBytes = 65536, 65536
	want.Ingest.RTMP.AMF = amf0.Limits{Depth: 4, Values: 100, StringBytes: 8192}
	want.API.Credentials = []api.Credential{
		{SecretID: "AKIDfirst", SecretKey: "0123456789abcdef"},
		{SecretID: "AKIDreader", SecretKey: "a key: of some words", ReadOnly: true},
	}
	want.Console = console.Config{
		SessionLifetime: 24 * time.Hour, IdleLifetime: time.Hour,
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")},
	}
	want.Capture.Queue, want.Capture.QueueBytes = 64, 16<<20
	want.Capture.GOPBytes, want.Capture.GOPTotalBytes, want.Capture.ExactShare = 1<<20, 8<<20, 0.25
	want.Codec.Workers, want.Codec.MemoryLimit, want.Codec.Timeout = 2, 0, time.Second
	want.Codec.CPULimit, want.Codec.MaxRSS, want.Codec.AllowUnsandboxed = 0, 0, true
	want.Callback = notify.Config{
		AllowNetworks:    []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")},
		Retry:            notify.Retry{Attempts: 3, Interval: 10 * time.Second, Timeout: 5 * time.Second},
		PushRetry:        notify.PushRetry{Attempts: 2, Interval: 3 * time.Second},
		Slots:            8,
		DestinationSlots: 2,
	}
	if diff := cmp.Diff(want, *got, ignoreResources(), comparePrefixes()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	_, offset := time.Date(2026, 11, 26, 0, 0, 0, 0, got.Location()).Zone()
	if offset != -(5*3600 + 30*60) {
		t.Errorf("the time zone is %d s from UTC", offset)
	}
	if diff := cmp.Diff(contractDeclaration(), got.Resources.Declaration()); diff != "" {
		t.Errorf("declaration: -want +got:\n%s", diff)
	}
}

func contractStorage() config.Storage {
	s := config.DefaultStorage()
	s.Type = config.StorageS3
	s.File = file.Config{Dir: "/pictures", CacheControl: "no-store"}
	s.S3.Endpoint, s.S3.Bucket, s.S3.Addressing = "http://127.0.0.1:9000", "all-shots", s3.AddressingPath
	s.S3.AccessKey, s.S3.SecretKey = "AK", "hush"
	s.COS.Bucket, s.COS.Region, s.COS.SecretID, s.COS.SecretKey = "shots-1250000000", "ap-guangzhou", "ID", "hush"
	s.URL, s.URLLifetime, s.CacheControl = config.URLPresigned, time.Hour, "public"
	var second, disk config.Mirror
	second.SetDefaults()
	second.Name, second.Type = "second", config.StorageS3
	second.S3.Endpoint, second.S3.Credentials = "https://s3.example.com", s3.CredentialsEnvironment
	disk.SetDefaults()
	disk.Name, disk.Type, disk.File.Dir = "disk", config.StorageFile, "/mirror"
	s.Mirrors = []config.Mirror{second, disk}
	s.Upload = spool.Config{Concurrency: 8, Timeout: 5 * time.Second, Breaker: spool.BreakerConfig{Failures: 3, MaxPause: time.Minute}}
	s.Spool = spool.QuotaConfig{MaxBytes: 1 << 30, Policy: spool.DropOldest}
	s.Retention = config.Retention{Pictures: 240 * time.Hour, Shots: 720 * time.Hour, Attempts: 168 * time.Hour}
	return s
}

func comparePrefixes() cmp.Option { return cmpopts.EquateComparable(netip.Prefix{}) }

func ignoreResources() cmp.Option { return cmpopts.IgnoreFields(config.Config{}, "Resources") }

func contractDeclaration() stillcast.Declaration {
	return stillcast.Declaration{
		Domains: []stillcast.Domain{
			{Name: "push.example.com", Auth: stillcast.PushAuth{Key: "k1", BackupKey: "k2", Delta: 30 * time.Second}},
			{Name: "open.example.com", Auth: stillcast.PushAuth{Disabled: true}},
			{Name: "*", Auth: stillcast.PushAuth{Key: "0123"}},
		},
		SnapshotTemplates: []stillcast.SnapshotTemplate{
			{
				Name: "every10s", Interval: 10 * time.Second, Bucket: "shots", AppID: 1250000000, Region: "ap-guangzhou",
				Prefix: stillcast.DefaultPrefix, FileName: stillcast.DefaultFileName,
			},
			{Name: "small", Description: "half a picture", Interval: time.Minute, Width: 640, Height: 360, Quality: 70},
			{
				Name: "all", Accuracy: stillcast.AccuracyExact, Format: stillcast.FormatWebP, Fit: stillcast.FitCover, EXIF: true,
				Renditions: stillcast.Renditions{{Width: 320}, {Width: 160, Height: 90}},
				SkipBlack:  true, SkipUnchanged: true, Heartbeat: time.Hour, Facts: true, Mirror: "second",
			},
			{Name: "progressive", Format: stillcast.FormatJPEG, Progressive: true},
		},
		SnapshotRules: []stillcast.DeclaredRule{
			{Domain: "push.example.com", App: "live", Template: "every10s"},
			{Domain: "push.example.com", App: "live", Stream: "001", Template: "small"},
		},
		CallbackTemplates: []stillcast.CallbackTemplate{{
			Name: "hooks", Description: "to us", Key: "k3", SnapshotURL: "https://a.example.com/shot",
			StreamBeginURL: "https://a.example.com/begin", StreamEndURL: "https://a.example.com/end",
		}, {
			Name: "strict", PushExceptionURL: "https://a.example.com/trouble", Profile: stillcast.ProfileStandard,
			SigningSecret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", PreviousSecret: "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX",
			Extras: true, RedactParam: true, RateLimit: 50,
		}},
		CallbackRules: []stillcast.DeclaredRule{{Domain: "push.example.com", App: "live", Template: "hooks"}},
	}
}

func TestLoadWithoutFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.yaml")
	_, err := config.Load(path)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("Load gave the error %v; want that %s does not exist", err, path)
	}
}

// TestSecretsStayHidden prints a whole configuration and its faults.
func TestSecretsStayHidden(t *testing.T) {
	const faulty = `
resources:
  domains: [{name: A, auth: {key: hush1, backup_key: hush2}}]
  callback_templates: [{name: "", key: hush3}]
`
	_, err := config.Parse("x.yaml", []byte(faulty))
	if err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("the error %v holds a key, or there is none", err)
	}
	c, err := config.Parse("x.yaml", []byte("resources: {domains: [{name: a, auth: {key: hush1, backup_key: hush2}}]}"))
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	c.Log.Logger(&log).Info("started", "config", c.Resources)
	if !strings.Contains(log.String(), "<secret>") || strings.Contains(log.String(), "hush") {
		t.Errorf("the log says %s", &log)
	}
}

func TestLogger(t *testing.T) {
	tests := []struct {
		log             config.Log
		hidden, visible slog.Level
		start           string
	}{
		{config.Log{Level: "debug", Format: "text"}, slog.LevelDebug - 1, slog.LevelDebug, "time="},
		{config.Log{Level: "info", Format: "text"}, slog.LevelDebug, slog.LevelInfo, "time="},
		{config.Log{Level: "warn", Format: "json"}, slog.LevelInfo, slog.LevelWarn, `{"time":`},
		{config.Log{Level: "error", Format: "json"}, slog.LevelWarn, slog.LevelError, `{"time":`},
	}
	for _, tt := range tests {
		var out strings.Builder
		log := tt.log.Logger(&out)
		log.Log(t.Context(), tt.hidden, "hidden")
		log.Log(t.Context(), tt.visible, "visible")
		if got := out.String(); !strings.HasPrefix(got, tt.start) || !strings.Contains(got, "visible") || strings.Contains(got, "hidden") {
			t.Errorf("%+v wrote %q", tt.log, got)
		}
	}
}

func TestParseTimeZone(t *testing.T) {
	at := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	for name, want := range map[string]int{
		"+08:00": 8 * 3600, "-05:30": -5*3600 - 1800, "+14:00": 14 * 3600, "+00:00": 0, "UTC": 0, "Z": 0,
		"Asia/Shanghai": 8 * 3600, "Europe/Berlin": 2 * 3600,
	} {
		location, err := config.ParseTimeZone(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, got := at.In(location).Zone(); got != want {
			t.Errorf("%s is %d s from UTC, want %d", name, got, want)
		}
	}
	for _, name := range []string{"", "Local", "8", "+8:00", "+08:60", "+14:01", "-99:00", "08:00", "../../etc/passwd"} {
		if _, err := config.ParseTimeZone(name); stillcast.CodeOf(err) != stillcast.CodeInvalid {
			t.Errorf("%q gave the error %v", name, err)
		}
	}
}

func TestListenCollisions(t *testing.T) {
	tests := []struct {
		listen config.Listen
		want   string
	}{
		{config.Listen{RTMP: "127.0.0.1:0", HTTP: "127.0.0.1:0", Ops: "127.0.0.1:0"}, ""},
		{config.Listen{RTMP: "127.0.0.1:1", HTTP: "127.0.0.2:1", Ops: "[::1]:1"}, ""},
		{config.Listen{RTMP: "127.0.0.1:1, [::1]:1,unix:/s", RTMPS: "127.0.0.1:4", HTTP: ":2", Ops: ":3"}, ""},
		{config.Listen{RTMP: "127.0.0.1:1, ", HTTP: ":2", Ops: ":3"}, "rtmp"},
		{config.Listen{RTMP: "127.0.0.1:1, :1", HTTP: ":2", Ops: ":3"}, "rtmp"},
		{config.Listen{RTMP: "unix:", HTTP: ":2", Ops: ":3"}, "rtmp"},
		{config.Listen{RTMP: "unix:/s", RTMPS: "unix:/s", HTTP: ":2", Ops: ":3"}, "rtmps"},
		{config.Listen{RTMP: ":1", RTMPS: ":1", HTTP: ":2", Ops: ":3"}, "rtmps"},
		{config.Listen{RTMP: ":1", RTMPS: "a", HTTP: ":2", Ops: ":3"}, "rtmps"},
		{config.Listen{RTMP: ":1", HTTP: "unix:/s", Ops: ":3"}, "http"},
		{config.Listen{RTMP: "127.0.0.1:1", HTTP: "127.0.0.1:1", Ops: "127.0.0.1:2"}, "http"},
		{config.Listen{RTMP: "0.0.0.0:1", HTTP: "127.0.0.1:2", Ops: "127.0.0.1:1"}, "ops"},
		{config.Listen{RTMP: "127.0.0.1:3", HTTP: "[::]:2", Ops: "127.0.0.1:2"}, "ops"},
		{config.Listen{RTMP: "", HTTP: ":2", Ops: ":3"}, "rtmp"},
		{config.Listen{RTMP: ":http", HTTP: ":2", Ops: ":3"}, "rtmp"},
	}
	for _, tt := range tests {
		err := tt.listen.Validate()
		if (err == nil) != (tt.want == "") || err != nil && !strings.HasPrefix(err.Error(), tt.want+": ") {
			t.Errorf("%+v gave the error %v, want one of %q", tt.listen, err, tt.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(config.Sample())
	f.Add(config.FirstRun("key"))
	contract, err := os.ReadFile(filepath.Join("testdata", "contract.yaml"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(contract)
	archive, err := txtar.ParseFile(filepath.Join("testdata", "faults.txtar"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range archive.Files {
		f.Add(file.Data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := config.Parse("fuzz.yaml", data)
		if (c == nil) == (err == nil) {
			t.Fatalf("Parse gave %v and %v; want one of them", c, err)
		}
		if err != nil {
			if !strings.HasPrefix(err.Error(), "fuzz.yaml:") {
				t.Fatalf("the error %q does not name the file", err)
			}
			return
		}
		c.Resources.Declaration()
		c.Location()
	})
}
