package av_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/gob"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stillcast/stillcast/internal/codec/codectest"
	"github.com/stillcast/stillcast/internal/media"
)

const (
	// hostileShotsEnv is how many damaged key frames are tried, hostileShots without it.
	hostileShotsEnv = "STILLCAST_HOSTILE_SHOTS"
	hostileShots    = 1000
	// hostileBatchEnv makes this program try a batch: "FILE OF SAMPLES,FIRST SEED,COUNT".
	hostileBatchEnv = "STILLCAST_HOSTILE_BATCH"
	hostileBatch    = 250
	// hostileTime is how long a batch may take, many times what it does, so that an endless loop ends.
	hostileTime = 10 * time.Minute
	// hostileMemory is by how much a shot may raise the memory of its process, in KiB. The worst shots are those of the largest
	// picture that is allowed, 4096x2304.
	hostileMemory = 200 << 10
)

// sample is a clip as batches get it.
type sample struct {
	Name   string
	Codec  media.Codec
	Record []byte
	Units  [][]byte
}

// samples makes clips of every codec, small ones, and one of each codec as large as real streams are.
func samples(t *testing.T) []sample {
	t.Helper()
	const small, large = "mandelbrot=size=320x180,format=yuv420p", "mandelbrot=size=1920x1080,noise=alls=4:allf=t,format=yuv420p"
	clips := map[string]codectest.Clip{
		"bomb of 16112x16112":       codectest.Bomb(t, 16112, 16112, 0, true),
		"bomb of 4096x2304":         codectest.Bomb(t, 4096, 2304, 0, true),
		"bomb with little to show":  codectest.Bomb(t, 4096, 2304, 64, false),
		"H.264 of a baseline":       codectest.Make(t, small, 3, "-profile:v", "baseline", "-x264-params", "slices=4"),
		"H.264 interlaced, 10 bit":  codectest.Make(t, small+",format=yuv422p10le", 3, "-flags", "+ilme+ildct"),
		"H.264 large":               codectest.Make(t, large, 2, "-b:v", "8M", "-maxrate", "8M", "-bufsize", "8M"),
		"HEVC Main10":               codectest.Encode(t, media.HEVC, small+",format=yuv420p10le", 3),
		"HEVC large":                codectest.Encode(t, media.HEVC, large, 2, "-crf", "26"),
		"AV1 large":                 codectest.Encode(t, media.AV1, large, 2, "-crf", "40"),
		"VP9 large":                 codectest.Encode(t, media.VP9, large, 2, "-crf", "30"),
		"VP8 large":                 codectest.Encode(t, media.VP8, large, 2, "-b:v", "8M", "-qmax", "40"),
		"VP9 with 10 bit and 4:4:4": codectest.Encode(t, media.VP9, small+",format=yuv444p10le", 3, "-profile:v", "3"),
		"VP9 of an odd size":        codectest.Encode(t, media.VP9, "mandelbrot=size=133x77,format=yuv420p", 3),
	}
	for _, codec := range []media.Codec{media.H264, media.HEVC, media.AV1, media.VP9, media.VP8} {
		clips[codec.String()] = codectest.Encode(t, codec, small, 3)
	}
	var all []sample
	for _, name := range slices.Sorted(maps.Keys(clips)) {
		clip := clips[name]
		all = append(all, sample{name, clip.Config.Codec, clip.Config.Record, clip.Units})
	}
	return all
}

// Whatever is done to a key frame and its decoder configuration: the process lives on, within its memory.
func TestHostileKeyFrames(t *testing.T) {
	shots := hostileShots
	if text := os.Getenv(hostileShotsEnv); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			t.Fatalf("%s=%s: wanted a number of shots", hostileShotsEnv, text)
		}
		shots = n
	}
	path := filepath.Join(t.TempDir(), "samples")
	var data bytes.Buffer
	if err := gob.NewEncoder(&data).Encode(samples(t)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	found := newFindings()
	firsts := make(chan int)
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			for first := range firsts {
				found.add(t, hostileRun(t.Context(), path, first, min(hostileBatch, shots-first)))
			}
		})
	}
	for first := 0; first < shots; first += hostileBatch {
		firsts <- first
	}
	close(firsts)
	group.Wait()
	found.report(t, shots)
}

// batch is how a batch ended.
type batch struct {
	shots []shotReport
	begun string // the shot that has begun and not ended; "" if there is none
	err   error
	said  string
}

// hostileRun tries a batch in a process of its own.
func hostileRun(ctx context.Context, path string, first, count int) batch {
	ctx, cancel := context.WithTimeout(ctx, hostileTime)
	defer cancel()
	command := exec.CommandContext(ctx, os.Args[0], "-test.run=^$")
	// What a shot gives back goes back to the system, or no one could tell what the next one takes.
	command.Env = append(os.Environ(), "MALLOC_MMAP_THRESHOLD_=131072", "MALLOC_TRIM_THRESHOLD_=131072", "MALLOC_ARENA_MAX=1",
		fmt.Sprintf("%s=%s,%d,%d", hostileBatchEnv, path, first, count))
	var out bytes.Buffer
	var said lastWords
	command.Stdout, command.Stderr = &out, &said
	b := batch{err: command.Run()}
	b.said = string(said)
	lines := bufio.NewScanner(&out)
	for lines.Scan() {
		if begun, ok := strings.CutPrefix(lines.Text(), "begin "); ok {
			b.begun = begun
			continue
		}
		report, err := parseReport(lines.Text())
		if err != nil {
			b.err = fmt.Errorf("the process said %q: %w", lines.Text(), err)
			return b
		}
		b.shots, b.begun = append(b.shots, report), ""
	}
	if len(b.shots) != count && b.err == nil {
		b.err = fmt.Errorf("the process ended after %d of %d shots", len(b.shots), count)
	}
	return b
}

// lastWords keeps the end of what is written: libav says much before a crash says why.
type lastWords []byte

func (l *lastWords) Write(b []byte) (int, error) {
	*l = append(*l, b...)
	*l = (*l)[max(0, len(*l)-16<<10):]
	return len(b), nil
}

// findings are what all batches came to.
type findings struct {
	mu       sync.Mutex
	count    int
	outcomes map[string]map[string]int // by codec
	slowest  map[string]shotReport
	largest  shotReport
	// The slowest and largest that the walk through its structure lets pass: what a worker meets.
	slowestPassed, largestPassed shotReport
}

func newFindings() *findings {
	return &findings{outcomes: map[string]map[string]int{}, slowest: map[string]shotReport{}}
}

func (f *findings) add(t *testing.T, b batch) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if b.err != nil {
		t.Errorf("shot %s: %v\n%s", b.begun, b.err, b.said)
	}
	for _, r := range b.shots {
		f.count++
		if f.outcomes[r.codec] == nil {
			f.outcomes[r.codec] = map[string]int{}
		}
		f.outcomes[r.codec][r.outcome]++
		if r.cpu > f.slowest[r.codec].cpu {
			f.slowest[r.codec] = r
		}
		if r.memory > f.largest.memory {
			f.largest = r
		}
		if !r.refused && r.cpu > f.slowestPassed.cpu {
			f.slowestPassed = r
		}
		if !r.refused && r.memory > f.largestPassed.memory {
			f.largestPassed = r
		}
	}
}

func (f *findings) report(t *testing.T, shots int) {
	t.Helper()
	pictures := 0
	for _, codec := range slices.Sorted(maps.Keys(f.outcomes)) {
		pictures += f.outcomes[codec][outcomePicture]
		t.Logf("%s: %v; slowest: %v", codec, f.outcomes[codec], f.slowest[codec])
	}
	t.Logf("%d shots, %d pictures; most memory: %v", f.count, pictures, f.largest)
	t.Logf("of those with a whole structure, slowest: %v; most memory: %v", f.slowestPassed, f.largestPassed)
	if f.count != shots && !t.Failed() {
		t.Errorf("%d shots were tried, wanted %d", f.count, shots)
	}
	if len(f.outcomes) < 5 || pictures < shots/50 || pictures > shots*49/50 {
		t.Errorf("%d of %d shots gave pictures, of %d codecs: this tests little", pictures, shots, len(f.outcomes))
	}
	if !sanitized && f.largest.memory > hostileMemory {
		t.Errorf("shot %v raised the memory by %d KiB, wanted at most %d", f.largest, f.largest.memory, hostileMemory)
	}
}
