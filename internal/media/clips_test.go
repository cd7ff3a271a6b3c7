package media_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stillcast/stillcast/internal/media"
)

// clip is a video that FFmpeg made, with what ffprobe says about it.
type clip struct {
	path          string
	config        *media.Config
	width, height int
	packets       []packet

	whole map[string]string // pictures of all packets, by presentation time
}

type packet struct {
	data []byte
	key  bool
	pts  string
}

func run(t testing.TB, name string, args ...string) []byte {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.Bytes())
	}
	return out
}

// records are the MP4 boxes of decoder configurations, and how many bytes come
// before the record in them.
var records = map[media.Codec]struct {
	box  string
	skip int
}{
	media.H264: {"avcC", 0}, media.HEVC: {"hvcC", 0}, media.AV1: {"av1C", 0}, media.VP9: {"vpcC", 4}, media.VP8: {"vpcC", 4},
}

// makeClip encodes frames of a moving picture.
func makeClip(t testing.TB, codec media.Codec, size string, frames int, args ...string) *clip {
	t.Helper()
	c := &clip{path: filepath.Join(t.TempDir(), "clip.mp4")}
	if codec == media.VP8 {
		c.path = filepath.Join(t.TempDir(), "clip.ivf")
	}
	ffmpeg := []string{"-v", "error", "-f", "lavfi", "-i", "testsrc2=rate=25:size=" + size, "-frames:v", strconv.Itoa(frames)}
	ffmpeg = append(append(ffmpeg, args...), "-strict", "experimental", c.path)
	run(t, "ffmpeg", ffmpeg...)
	file, err := os.ReadFile(c.path)
	if err != nil {
		t.Fatal(err)
	}
	c.probe(t, file)
	r := records[codec]
	var record []byte
	if at := bytes.Index(file, []byte(r.box)); at >= 4 {
		end := at - 4 + int(binary.BigEndian.Uint32(file[at-4:]))
		record = file[at+4+r.skip : end]
	} else if codec == media.H264 || codec == media.HEVC {
		t.Fatalf("no %s in the clip", r.box)
	}
	if c.config, err = media.ParseConfig(codec, record, media.MaxH264Pixels); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *clip) probe(t testing.TB, file []byte) {
	t.Helper()
	var probed struct {
		Packets []struct {
			PTS, Size, Pos, Flags string
			N                     int64 `json:"pts"`
		}
		Streams []struct{ Width, Height int }
	}
	out := run(t, "ffprobe", "-v", "error", "-of", "json", "-select_streams", "v", "-show_entries", "packet=pts,size,pos,flags:stream=width,height", c.path)
	if err := json.Unmarshal(out, &probed); err != nil {
		t.Fatal(err)
	}
	c.width, c.height = probed.Streams[0].Width, probed.Streams[0].Height
	for _, p := range probed.Packets {
		pos, err1 := strconv.Atoi(p.Pos)
		if strings.HasSuffix(c.path, ".ivf") {
			pos += 12 // the frame header
		}
		size, err2 := strconv.Atoi(p.Size)
		if err1 != nil || err2 != nil {
			t.Fatalf("packet %+v", p)
		}
		c.packets = append(c.packets, packet{file[pos : pos+size], strings.HasPrefix(p.Flags, "K"), strconv.FormatInt(p.N, 10)})
	}
}

// hashes decodes the clip without the packets for which drop, an expression of
// their number n, is not 0. It returns the pictures by the presentation time, in
// their order.
func (c *clip) hashes(t testing.TB, drop string) (order []string, pictures map[string]string) {
	t.Helper()
	copied := filepath.Join(t.TempDir(), "dropped.mkv")
	run(t, "ffmpeg", "-v", "error", "-copyts", "-i", c.path, "-c", "copy", "-bsf:v", "noise=drop="+drop, copied)
	pictures = map[string]string{}
	for line := range strings.Lines(string(run(t, "ffmpeg", "-v", "fatal", "-copyts", "-i", copied, "-vsync", "passthrough", "-f", "framemd5", "-"))) {
		fields := strings.Split(strings.TrimSpace(line), ",")
		if len(fields) != 6 || strings.HasPrefix(line, "#") {
			continue
		}
		pts := strings.TrimSpace(fields[2])
		order, pictures[pts] = append(order, pts), strings.TrimSpace(fields[5])
	}
	return order, pictures
}

type clipTest struct {
	name       string
	codec      media.Codec
	size       string
	frames     int
	args       string
	starts     map[media.StartKind]int // how many of which kind
	disposable int                     // at least so many
	check      func(t *testing.T, starts []media.Start)
}

const x264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p "

func clipTests() []clipTest {
	key := func(n int) map[media.StartKind]int { return map[media.StartKind]int{media.StartKey: n} }
	return []clipTest{
		{
			name: "H.264, B pyramid", codec: media.H264, size: "322x178", frames: 50,
			args: "-c:v libx264 -preset veryfast -pix_fmt yuv420p -g 25 -bf 3 -b_strategy 0 -slices 3 -x264-params scenecut=0", starts: key(2), disposable: 15,
		},
		{
			name: "H.264, open GOP", codec: media.H264, size: "320x180", frames: 60,
			args:   "-c:v libx264 -preset veryfast -pix_fmt yuv420p -g 20 -bf 3 -b_strategy 0 -x264-params open-gop=1:scenecut=0",
			starts: map[media.StartKind]int{media.StartKey: 1, media.StartRecovery: 2}, disposable: 15,
			check: func(t *testing.T, starts []media.Start) {
				t.Helper()
				for i, s := range starts {
					if s.Kind == media.StartRecovery && (s.Frames != 0 || !s.Open) {
						t.Errorf("unit %d: %+v, want an open start that is clean at once", i, s)
					}
				}
			},
		},
		{
			name: "H.264, intra refresh", codec: media.H264, size: "320x180", frames: 90,
			args:   "-c:v libx264 -preset veryfast -pix_fmt yuv420p -g 30 -bf 0 -x264-params intra-refresh=1:scenecut=0",
			starts: map[media.StartKind]int{media.StartKey: 1, media.StartRecovery: 2},
			check: func(t *testing.T, starts []media.Start) {
				t.Helper()
				for i, s := range starts {
					if s.Kind == media.StartRecovery && (s.Frames < 5 || s.Frames > 60) {
						t.Errorf("unit %d: %+v, want a recovery of some ten frames", i, s)
					}
				}
			},
		},
		{
			name: "H.264, interlaced, CAVLC", codec: media.H264, size: "320x240", frames: 12,
			args: x264 + "-g 6 -x264-params tff=1:cabac=0", starts: key(2),
		},
		{name: "H.264, 4:4:4", codec: media.H264, size: "323x179", frames: 4, args: "-c:v libx264 -preset ultrafast -pix_fmt yuv444p -g 2", starts: key(2)},
		{name: "H.264, 4:2:2 of 10 bits", codec: media.H264, size: "322x179", frames: 4, args: "-c:v libx264 -preset ultrafast -pix_fmt yuv422p10 -g 2", starts: key(2)},
		{name: "H.264, grey", codec: media.H264, size: "321x179", frames: 4, args: "-c:v libx264 -preset ultrafast -pix_fmt gray -g 2", starts: key(2)},
		{
			name: "HEVC, open GOP", codec: media.HEVC, size: "322x178", frames: 60,
			args: "-c:v libx265 -preset ultrafast -pix_fmt yuv420p -x265-params log-level=error:keyint=20:min-keyint=20:scenecut=0:bframes=3:b-adapt=0:open-gop=1:pools=1", starts: key(3), disposable: 15,
			check: func(t *testing.T, starts []media.Start) {
				t.Helper()
				open := 0
				for _, s := range starts {
					if s.Open {
						open++
					}
				}
				if open != 2 {
					t.Errorf("%d open starts, want 2", open)
				}
			},
		},
		{
			name: "HEVC, closed GOP, temporal layers", codec: media.HEVC, size: "320x180", frames: 50,
			args: "-c:v libx265 -preset ultrafast -pix_fmt yuv420p10 -x265-params log-level=error:keyint=25:min-keyint=25:scenecut=0:bframes=3:b-adapt=0:b-pyramid=1:temporal-layers=1:open-gop=0:pools=1", starts: key(2), disposable: 10,
		},
		{
			name: "HEVC, 4:2:2 of 12 bits", codec: media.HEVC, size: "322x179", frames: 2,
			args: "-c:v libx265 -preset ultrafast -pix_fmt yuv422p12 -x265-params log-level=error:pools=1", starts: key(1),
		},
		{
			name: "AV1, SVT", codec: media.AV1, size: "322x178", frames: 40,
			args: "-c:v libsvtav1 -preset 10 -pix_fmt yuv420p -g 20 -svtav1-params irefresh-type=2:lp=1", starts: key(2), disposable: 10,
		},
		{
			name: "AV1, libaom of 10 bits", codec: media.AV1, size: "320x180", frames: 20,
			args: "-c:v libaom-av1 -cpu-used 8 -usage realtime -pix_fmt yuv420p10 -g 10", starts: key(2),
		},
		{name: "VP9", codec: media.VP9, size: "322x178", frames: 40, args: "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 20 -pix_fmt yuv420p", starts: key(2)},
		{
			name: "VP9, alternate references, 4:4:4 of 10 bits", codec: media.VP9, size: "323x179", frames: 40,
			args: "-c:v libvpx-vp9 -cpu-used 8 -auto-alt-ref 1 -lag-in-frames 16 -g 20 -pix_fmt yuv444p10", starts: key(2),
		},
		{
			name: "VP8, alternate references", codec: media.VP8, size: "322x178", frames: 40,
			args: "-c:v libvpx -auto-alt-ref 1 -lag-in-frames 16 -g 20 -pix_fmt yuv420p", starts: key(2),
		},
	}
}

// What is told about real units is what FFmpeg finds in them.
func TestClips(t *testing.T) {
	for _, tt := range clipTests() {
		t.Run(tt.name, func(t *testing.T) {
			c := makeClip(t, tt.codec, tt.size, tt.frames, strings.Fields(tt.args)...)
			known := tt.codec != media.VP9 && tt.codec != media.VP8
			if known && (c.config.Width != c.width || c.config.Height != c.height) {
				t.Errorf("configuration of %dx%d, ffprobe says %dx%d", c.config.Width, c.config.Height, c.width, c.height)
			}
			checkClipUnits(t, c)
			starts := checkStarts(t, c, tt)
			if tt.check != nil {
				tt.check(t, starts)
			}
			checkDisposable(t, c, tt)
		})
	}
}

func checkClipUnits(t *testing.T, c *clip) {
	t.Helper()
	for i, p := range c.packets {
		if err := media.CheckUnit(c.config, p.data, 640*480); err != nil {
			t.Errorf("unit %d: %v", i, err)
		}
	}
	if c.config.Codec == media.H264 || c.config.Codec == media.HEVC {
		return
	}
	config, err := media.KeyFrameConfig(c.config.Codec, nil, c.packets[0].data[:min(32, len(c.packets[0].data))], 640*480)
	if err != nil || config.Width != c.width || config.Height != c.height {
		t.Errorf("by the key frame: %+v, %v; ffprobe says %dx%d", config, err, c.width, c.height)
	}
}

func checkStarts(t *testing.T, c *clip, tt clipTest) []media.Start {
	t.Helper()
	var starts []media.Start
	got := map[media.StartKind]int{}
	decode := tt.frames > 4 // the others are there for their sizes
	if decode {
		_, c.whole = c.hashes(t, "0")
	}
	for i, p := range c.packets {
		s := media.StartOf(c.config, p.data)
		starts = append(starts, s)
		if (s.Kind != media.StartNone) != p.key {
			t.Errorf("unit %d: %+v, ffprobe says key: %t", i, s, p.key)
		}
		if s.Kind == media.StartNone {
			continue
		}
		if got[s.Kind]++; got[s.Kind] == 2 && decode {
			checkDecodes(t, c, i, s)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(tt.starts) {
		t.Errorf("starts by kind %v, want %v", got, tt.starts)
	}
	return starts
}

// checkDecodes starts decoding at a unit, which must give the same pictures as
// decoding from the beginning.
func checkDecodes(t *testing.T, c *clip, unit int, s media.Start) {
	t.Helper()
	order, pictures := c.hashes(t, `lt(n\,`+strconv.Itoa(unit)+")")
	if len(order) == 0 {
		t.Errorf("no picture from unit %d on", unit)
	}
	for i, pts := range order {
		leading := s.Open && i < 4
		if pictures[pts] != c.whole[pts] && !leading {
			t.Fatalf("from unit %d on (%+v) picture %d is another", unit, s, i)
		}
	}
}

// checkDisposable leaves out what is said to be disposable: all other pictures
// must stay as they are.
func checkDisposable(t *testing.T, c *clip, tt clipTest) {
	t.Helper()
	var drop []string
	for i, p := range c.packets {
		if media.Disposable(c.config, p.data) {
			drop = append(drop, `eq(n\,`+strconv.Itoa(i)+")")
		}
	}
	if len(drop) < tt.disposable {
		t.Errorf("%d units are disposable, want at least %d", len(drop), tt.disposable)
	}
	if len(drop) == 0 || c.whole == nil {
		return
	}
	order, pictures := c.hashes(t, strings.Join(drop, "+"))
	if len(order) != len(c.whole)-len(drop) {
		t.Errorf("%d pictures without the disposable ones, want %d of %d", len(order), len(c.whole)-len(drop), len(c.whole))
	}
	for _, pts := range order {
		if pictures[pts] != c.whole[pts] {
			t.Fatalf("the picture at %s is another without the %d disposable ones", pts, len(drop))
		}
	}
}
