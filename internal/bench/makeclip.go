package bench

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stillcast/stillcast"
)

// kind is a sort of clip that is made with ffmpeg: what is in it and how it is
// coded. All have 30 pictures and a key frame every two seconds.
type kind struct {
	name          string
	photos        bool // photographs with a slow pan and grain; else moving patterns
	width, height int
	encoder       string // ffmpeg's options
}

const (
	x264     = "-c:v libx264 -preset veryfast -profile:v high -g 60 -keyint_min 60 -sc_threshold 0 -bf 2 "
	rate4M   = "-b:v 4M -maxrate 4M -bufsize 4M"
	clipRate = 30 // pictures per second
	shown    = 2  // seconds that a photograph is
)

// kindTable lists the kinds in the order of their names' first use in reports.
func kindTable() []kind {
	return []kind{
		{"photo", true, 1920, 1080, x264 + rate4M},
		{"stage", false, 1920, 1080, x264 + rate4M},
		{"baseline", true, 1920, 1080, strings.Replace(x264, "high", "baseline", 1) + "-bf 0 " + rate4M},
		{"720p", true, 1280, 720, x264 + "-b:v 2M -maxrate 2M -bufsize 2M"},
		{"2160p", true, 3840, 2160, x264 + "-b:v 15M -maxrate 15M -bufsize 15M"},
		{"hevc", true, 1920, 1080, "-c:v libx265 -preset superfast -tag:v hvc1 -x265-params keyint=60:min-keyint=60:scenecut=0:open-gop=0:bframes=3:vbv-maxrate=4000:vbv-bufsize=4000:log-level=error -b:v 4M"},
		{"av1", true, 1920, 1080, "-c:v libsvtav1 -preset 11 -g 60 -b:v 4M"},
		{"vp9", true, 1920, 1080, "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -row-mt 1 -g 60 -keyint_min 60 " + rate4M},
	}
}

// Kinds are the names of the clips that can be made.
func Kinds() []string {
	var names []string
	for _, k := range kindTable() {
		names = append(names, k.name)
	}
	return names
}

func findKind(name string) (kind, error) {
	table := kindTable()
	if i := slices.IndexFunc(table, func(k kind) bool { return k.name == name }); i >= 0 {
		return table[i], nil
	}
	return kind{}, stillcast.Errorf(stillcast.CodeInvalid, "kinds", "%q is no kind of clip; allowed are %s", name, strings.Join(Kinds(), ", "))
}

// photoPackages are the packages of Debian and Ubuntu whose photographs are used.
const photoPackages = "mate-backgrounds plasma-workspace-wallpapers"

// photoFiles are photographs of at least 1920x1080 (most have 2560x1600).
func photoFiles() []string {
	const mate, plasma = "/usr/share/backgrounds/mate/nature/", "/usr/share/wallpapers/"
	const large = "/contents/images/2560x1600.jpg"
	return []string{
		mate + "TwoWings.jpg", plasma + "Autumn" + large, mate + "Wood.jpg", plasma + "ColorfulCups" + large, mate + "Storm.jpg",
		plasma + "BytheWater" + large, mate + "LadyBird.jpg", plasma + "FallenLeaf" + large, mate + "RainDrops.jpg", plasma + "EveningGlow" + large,
	}
}

// photosThere says whether the photographs are installed.
func photosThere() bool {
	for _, path := range photoFiles() {
		if _, err := os.Stat(path); err != nil {
			return false
		}
	}
	return true
}

// patternSeconds is how long the clips of patterns are.
const patternSeconds = 20

// args are ffmpeg's arguments, without the file to write.
func (k kind) args(photos bool) []string {
	args := quietInput()
	var graph string
	if k.photos && photos {
		for _, path := range photoFiles() {
			args = append(args, "-i", path)
		}
		graph = k.photoGraph(len(photoFiles()))
	} else {
		graph = k.patternGraph()
	}
	args = append(args, "-filter_complex", graph, "-map", "[out]", "-an", "-pix_fmt", "yuv420p",
		"-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv")
	args = append(args, strings.Fields(k.encoder)...)
	return append(args, "-f", k.muxer())
}

// photoGraph shows each photograph for two seconds, a fifth larger than the
// picture and slowly moved, with grain that changes with each picture.
func (k kind) photoGraph(count int) string {
	var b, names strings.Builder
	width, height := k.width*6/5, k.height*6/5
	for i := range count {
		fmt.Fprintf(&b, "[%d:v]scale=%d:%d:force_original_aspect_ratio=increase:flags=bicubic,crop=%d:%d,setsar=1,format=yuv420p,"+
			"loop=loop=-1:size=1,settb=1/%d,setpts=N,trim=duration=%d,crop=%d:%d:x='t*%d':y='t*%d'[p%d];",
			i, width, height, width, height, clipRate, shown, k.width, k.height, k.width/12, k.height/12, i)
		fmt.Fprintf(&names, "[p%d]", i)
	}
	fmt.Fprintf(&b, "%sconcat=n=%d,fps=%d,noise=alls=6:allf=t[out]", &names, count, clipRate)
	return b.String()
}

// patternGraph shows four moving patterns side by side, with grain.
func (k kind) patternGraph() string {
	size := fmt.Sprintf("size=%dx%d:rate=%d", k.width/2, k.height/2, clipRate)
	return "testsrc2=" + size + "[a];mandelbrot=end_scale=0.003:" + size + ",format=yuv420p[b];" +
		"life=ratio=0.1:mold=10:random_seed=1:death_color=#003355:life_color=#ffdd88:" + size + ",format=yuv420p[c];" +
		"gradients=seed=1:speed=0.02:" + size + ",format=yuv420p[d];" +
		"[a][b][c][d]xstack=inputs=4:layout=0_0|w0_0|0_h0|w0_h0," +
		fmt.Sprintf("trim=duration=%d,noise=alls=4:allf=t[out]", patternSeconds)
}

// muxer is what carries the codec: FLV is what publishers send.
func (k kind) muxer() string {
	if strings.Contains(k.encoder, "libx264") {
		return "flv"
	}
	return "mp4"
}

// quietInput are ffmpeg's first arguments where a clip is made.
func quietInput() []string { return []string{"-hide_banner", "-loglevel", "error", "-nostdin", "-y"} }

// makeClip returns the file of a kind, which it makes when it is not in the folder.
func (b *bench) makeClip(ctx context.Context, k kind, folder string, photos bool) (string, error) {
	return b.makeFile(ctx, k.name, k.muxer(), k.args(photos), folder)
}

// makeFile returns the file that ffmpeg makes of the arguments, which go without
// its name.
func (b *bench) makeFile(ctx context.Context, name, muxer string, args []string, folder string) (string, error) {
	sum := sha256.Sum256([]byte(strings.Join(args, "\x00")))
	path := filepath.Join(folder, fmt.Sprintf("%s-%x.%s", name, sum[:6], muxer))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	b.say("making the clip %s with ffmpeg", name)
	// Made beside its place, so that half a clip never gets the name.
	half, err := os.CreateTemp(folder, "half-*")
	if err != nil {
		return "", fmt.Errorf("make the clip %s: %w", name, err)
	}
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, "ffmpeg", append(args, half.Name())...) //nolint:gosec // arguments of our own
	cmd.Stderr = &said
	err = errors.Join(half.Close(), cmd.Run())
	if err == nil {
		err = os.Rename(half.Name(), path)
	}
	switch {
	case err == nil:
		return path, nil
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	}
	return "", errors.Join(fmt.Errorf("make the clip %s with ffmpeg: %w: %s", name, err, bytes.TrimSpace(said.Bytes())), os.Remove(half.Name()))
}
