package stillcast_test

import (
	"path"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast"
)

func picture(domain, app, name string) stillcast.PictureName {
	zone := time.FixedZone("", 8*60*60)
	return stillcast.PictureName{
		Stream: stillcast.Stream{Domain: domain, App: app, Name: name},
		At:     time.Date(2026, time.March, 4, 5, 6, 7, 8, zone), Width: 640, Height: 360, Ext: ".jpg",
	}
}

func TestObjectKey(t *testing.T) {
	tests := []struct{ name, prefix, file, want string }{
		{
			"defaults", stillcast.DefaultPrefix, stillcast.DefaultFileName,
			"2026-03-04/cam1-screenshot-05-06-07-640x360.jpg",
		},
		{
			"all placeholders", "/{AppName}/{PushDomain}/{StreamID}/{Year}/{Month}/{Day}", "{Hour}.{Minute}.{Second}.{Width}.{Height}{Ext}",
			"live/push.example.com/cam1/2026/03/04/05.06.07.640.360.jpg",
		},
		{"twice the same", "{StreamID}{StreamID}", "{Ext}{Ext}", "cam1cam1/.jpg.jpg"},
		{"slashes", "//a///b//", "c", "a/b/c"},
		{"no prefix", "", "c{Ext}", "c.jpg"},
		{"characters", "aZ09-!_.*", "...", "aZ09-!_.*/..."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := picture("push.example.com", "live", "cam1").ObjectKey(tt.prefix, tt.file)
			if got != tt.want {
				t.Errorf("ObjectKey(%q, %q) = %q, want %q", tt.prefix, tt.file, got, tt.want)
			}
		})
	}
}

func TestObjectKeyEscapesNames(t *testing.T) {
	tests := []struct{ stream, want string }{
		{"cam-1_A.b", "cam-1_A.b"},
		{"..", "!2E."},
		{".", "!2E"},
		{".hidden", "!2Ehidden"},
		{"", "!"},
		{"../../etc", "!2E.!2F..!2Fetc"},
		{"/", "!2F"},
		{"a/b", "a!2Fb"},
		{`a\b`, "a!5Cb"},
		{"a\x00b", "a!00b"},
		{"!2F", "!212F"},
		{"a b?&#%*:", "a!20b!3F!26!23!25!2A!3A"},
		{"{Year}", "!7BYear!7D"},
		{"直播é", "直播é"},
		{"🙂", "!F0!9F!99!82"},
		{"e\u0301", "e!CC!81"},  // not composed: another name than "é"
		{"\u202e", "!E2!80!AE"}, // turns the writing around
		{"\xff", "!FF"},
		{"a\xe4\xb8", "a!E4!B8"},
		{"\ufffd", "!EF!BF!BD"},
	}
	for _, tt := range tests {
		t.Run(tt.stream, func(t *testing.T) {
			for _, placeholder := range []string{"{StreamID}", "{AppName}", "{PushDomain}"} {
				got := picture(tt.stream, tt.stream, tt.stream).ObjectKey("p", placeholder)
				if got != "p/"+tt.want {
					t.Errorf("%s of %q is %q, want %q", placeholder, tt.stream, got, "p/"+tt.want)
				}
			}
		})
	}
}

func TestObjectKeyCutsLongParts(t *testing.T) {
	const file = "{StreamID}-{Hour}{Ext}"
	long := strings.Repeat("x", 5<<10)
	keys := map[string]string{}
	for _, name := range []string{long, long + "y", long + "/", "y" + long, strings.Repeat("直", 2000), strings.Repeat("/", 5<<10)} {
		key := picture("d", "a", name).ObjectKey("p", file)
		wantSafe(t, key, "p")
		if len(key) > len("p/")+200 || !strings.HasSuffix(key, ".jpg") {
			t.Errorf("key of %d bytes: %q, want at most 202 and its extension kept", len(key), key)
		}
		if other, taken := keys[key]; taken {
			t.Errorf("names of %d and %d bytes both give %q", len(name), len(other), key)
		}
		keys[key] = name
	}
	// The longest part that is kept as it is, and the shortest that is cut.
	fits := strings.Repeat("x", 200-len("-05.jpg"))
	if got, want := picture("d", "a", fits).ObjectKey("p", file), "p/"+fits+"-05.jpg"; got != want {
		t.Errorf("a part of 200 bytes became %q", got)
	}
	cut := picture("d", "a", fits+"x").ObjectKey("p", file)
	if len(cut) != len("p/")+200 || cut[:100] != ("p/" + fits)[:100] {
		t.Errorf("a part of 201 bytes became %q", cut)
	}
}

// wantSafe fails unless key is a relative path below prefix that every store takes.
func wantSafe(t *testing.T, key, prefix string) {
	t.Helper()
	if !strings.HasPrefix(key, prefix+"/") || len(key) == len(prefix)+1 {
		t.Errorf("the key %q does not start below %q", key, prefix)
	}
	if !utf8.ValidString(key) || strings.ContainsRune(key, 0) || path.Clean(key) != key {
		t.Errorf("the key %q is no clean path in UTF-8", key)
	}
	for segment := range strings.SplitSeq(key, "/") {
		if segment == "" || segment == "." || segment == ".." || len(segment) > 255 {
			t.Errorf("the key %q holds the part %q of %d bytes", key, segment, len(segment))
		}
	}
}

func FuzzObjectKey(f *testing.F) {
	hostile := []string{
		"", ".", "..", "../../etc", "a/b", "a\x00b", "!2F", "/", "a!2Fb", "直播", "\xff", "\xe4\xb8", "\ufffd", "{StreamID}", "a.jpg",
		strings.Repeat("x", 5<<10), strings.Repeat("/", 255), strings.Repeat("直", 100),
	}
	for i, name := range hostile {
		f.Add(name, hostile[(i+1)%len(hostile)], name, hostile[(i+3)%len(hostile)])
	}
	templates := [][2]string{
		{"/p" + stillcast.DefaultPrefix, stillcast.DefaultFileName},
		{"p/{PushDomain}/{AppName}/{StreamID}", "{Hour}{Ext}"},
		{"p//{StreamID}.{StreamID}/", "{AppName}"},
		{"/p/{AppName}", ".{StreamID}."},
		{"/p/.{AppName}.", "{PushDomain}{StreamID}"},
		{"p", "{StreamID}"},
	}
	const suffix = "01890a5d-ac96-774b-bcce-b302099a8057" // as long as an event's id
	f.Fuzz(func(t *testing.T, domain, app, name, other string) {
		for _, template := range templates {
			key := picture(domain, app, name).ObjectKey(template[0], template[1])
			wantSafe(t, key, "p")
			wantSafe(t, stillcast.KeyVariant(key, suffix), "p")
			if len(stillcast.KeyVariant(key, suffix)) > 1024 {
				t.Errorf("the key %q is %d bytes long with its suffix", key, len(key))
			}
			if name != other && key == picture(domain, app, other).ObjectKey(template[0], template[1]) {
				t.Errorf("the stream names %q and %q both give the key %q", name, other, key)
			}
		}
	})
}

func TestRenditionKey(t *testing.T) {
	n := picture("d", "a", "cam1")
	n.Ext = ".webp"
	for _, tt := range []struct{ prefix, file, want string }{
		{"/f", "{StreamID}-{Width}x{Height}{Ext}", "f/cam1-640x360.webp"},
		{"/{Height}/{Width}", "a{Ext}", "360/640/a.webp"},
		{"/f", "{StreamID}{Ext}", "f/cam1-640x360.webp"},
		{"/f", "{Width}{Ext}", "f/640-640x360.webp"},
		{"/f.d", "a", "f.d/a-640x360"},
	} {
		if got := n.RenditionKey(tt.prefix, tt.file); got != tt.want {
			t.Errorf("RenditionKey(%q, %q) = %q, want %q", tt.prefix, tt.file, got, tt.want)
		}
	}
	// The suffixes of a rendition and of a name that is taken fit together.
	n.Stream.Name, n.Width, n.Height = strings.Repeat("x", 5<<10), stillcast.MaxWidth, stillcast.MaxHeight
	key := stillcast.KeyVariant(n.RenditionKey("p", "{StreamID}{Ext}"), "01890a5d-ac96-774b-bcce-b302099a8057-4")
	wantSafe(t, key, "p")
}

func TestKeyVariant(t *testing.T) {
	tests := []struct{ key, suffix, want string }{
		{"f/a.jpg", "123", "f/a-123.jpg"},
		{"f/a", "123", "f/a-123"},
		{"f.d/a", "123", "f.d/a-123"},
		{"a.b.jpg", "x", "a.b-x.jpg"},
	}
	for _, tt := range tests {
		if got := stillcast.KeyVariant(tt.key, tt.suffix); got != tt.want {
			t.Errorf("KeyVariant(%q, %q) = %q, want %q", tt.key, tt.suffix, got, tt.want)
		}
	}
	long := picture("d", "a", strings.Repeat("x", 5<<10)).ObjectKey("", "{StreamID}{Ext}")
	got := stillcast.KeyVariant(long, strings.Repeat("s", 54))
	if len(got) != 255 || path.Ext(got) != ".jpg" {
		t.Errorf("variant of a cut key is %q of %d bytes, want 255 and its extension kept", got, len(got))
	}
}

// A template that Validate accepts makes keys that every store takes, whatever the stream.
func TestValidTemplatesMakeKeysWithinTheLimit(t *testing.T) {
	worst := strings.Repeat("/", stillcast.MaxNamePart)
	accepted := map[bool]int{}
	for folders := range 12 {
		for _, folder := range []string{"/{StreamID}", "/x", "/{Year}{AppName}", "/" + strings.Repeat("y", 150)} {
			s := stillcast.SnapshotTemplate{Name: "t", Prefix: strings.Repeat(folder, folders)}
			err := s.Validate()
			accepted[err == nil]++
			s = s.WithDefaults()
			key := stillcast.KeyVariant(picture(worst, worst, worst).ObjectKey(s.Prefix, s.FileName), strings.Repeat("s", 54))
			if fits := len(key) <= 1024; fits != (err == nil) {
				t.Errorf("%d folders %q: a key of %d bytes, and Validate says %v", folders, folder, len(key), err)
			}
		}
	}
	if diff := cmp.Diff(map[bool]int{true: 26, false: 22}, accepted); diff != "" {
		t.Errorf("accepted and refused (-want +got):\n%s", diff)
	}
}
