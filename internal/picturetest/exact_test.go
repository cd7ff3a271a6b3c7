package picturetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/testkit"
)

// timed is a stream whose pictures must be of certain frames.
type timed struct {
	row
	app    string
	frames []int // that the shots show
	near   int   // how many frames they may be off
}

const timedRate = 25

// timedClip is ten seconds of H.264 with so long from one key frame to the next.
func timedClip(keyFrames time.Duration, args ...string) testkit.Clip {
	clip := testkit.Clip{Scene: scene(320, 180, testkit.PatternPhoto), Rate: timedRate, Frames: 8*timedRate + 5}
	distance := fmt.Sprint(int(keyFrames.Seconds() * timedRate))
	return x264(clip, append([]string{"-g", distance, "-keyint_min", distance}, args...)...)
}

func timedStreams() []timed {
	const rare = 10 * time.Second
	onGrid := []int{0, 50, 100, 150, 200}
	h264 := func(structure string, clip testkit.Clip) row {
		return row{codec: "H.264 high", structure: structure}.with(clip)
	}
	vfr := timedClip(rare, "-fps_mode", "vfr")
	vfr.Filter = "select='lt(mod(n,7),3)'" // 200 stays, and so do 50 and 100; on display at frame 150 is 149
	hevc := x265(testkit.Clip{Scene: scene(320, 180, testkit.PatternPhoto), Rate: timedRate, Frames: 8*timedRate + 5},
		":keyint=250:min-keyint=250:bframes=3:b-pyramid=1:b-adapt=0")
	av1 := svtAV1(testkit.Clip{Scene: scene(320, 180, testkit.PatternPhoto), Rate: timedRate, Frames: 8*timedRate + 5})
	av1.Args = append(av1.Args, "-g", "250")
	vp9 := vpxVP9(testkit.Clip{Scene: scene(320, 180, testkit.PatternPhoto), Rate: timedRate, Frames: 8*timedRate + 5})
	vp9.Args = append(vp9.Args, "-g", "250")
	return []timed{
		{h264("key frame each 10 s", timedClip(rare)), appExact, onGrid, 1},
		{h264("key frame each 10 s, B-pyramid", timedClip(rare, "-bf", "3", "-x264-params", "b-pyramid=normal:b-adapt=0")), appExact, onGrid, 1},
		{h264("variable frame rate", vfr), appExact, onGrid, 4},
		{h264("intra refresh, one IDR", timedClip(time.Second, "-x264-params", "intra-refresh=1")), appExact, onGrid, 1},
		{enhanced("HEVC main").structured("key frame each 10 s, B-pyramid", hevc), appExact, onGrid, 1},
		{enhanced("AV1 main").structured("key frame each 10 s", av1), appExact, onGrid, 1},
		{enhanced("VP9 profile 0").structured("key frame each 10 s", vp9), appExact, onGrid, 1},
		// The key frame before each due time is nearer here, and there the one after it.
		{h264("key frame each 1.92 s", timedClip(48*time.Second/timedRate)), appKeyframe, []int{0, 48, 96, 144}, 0},
		{h264("key frame each 2.2 s", timedClip(55*time.Second/timedRate)), appKeyframe, []int{0, 55, 110, 165}, 0},
	}
}

func TestShotsAreOfTheirDueTimes(t *testing.T) {
	streams := timedStreams()
	rows := make([]row, len(streams))
	for i, s := range streams {
		rows[i] = s.row
	}
	all := prepareAll(t, rows)
	rig := startRig(t)
	left := make(map[int]error, len(all)) // streams that have not been right yet
	for i := range all {
		left[i] = nil
	}
	for attempt := range attempts {
		name := func(i int) string { return fmt.Sprintf("timed-%d-%d", i, attempt) }
		over := map[int]<-chan struct{}{}
		for i := range left {
			over[i] = all[i].start(t, rig.pushURL(streams[i].app, name(i)))
		}
		for i := range over {
			s := streams[i]
			shots := rig.take(name(i), len(s.frames), over[i])
			t.Run(fmt.Sprintf("%s, attempt %d", s.name(), attempt), func(t *testing.T) {
				if left[i] = s.check(t, shots); left[i] == nil {
					delete(left, i)
				}
			})
		}
	}
	for i, err := range left {
		t.Errorf("%s: %v", streams[i].name(), err)
	}
}

// check returns what a busy machine may be the reason for, and fails the test for the rest.
func (s timed) check(t *testing.T, shots []shot) (err error) {
	t.Helper()
	if len(shots) < len(s.frames) {
		err = fmt.Errorf("%d shots, wanted %d", len(shots), len(s.frames))
	}
	for i, taken := range shots {
		img := testkit.DecodeJPEG(t, taken.JPEG)
		n, ok := testkit.ReadStrip(img)
		if !ok {
			t.Fatalf("shot %d: the strip cannot be read", i)
		}
		facts := taken.Stillcast
		psnr := testkit.PSNR(s.want(n, img.Bounds().Size()), img)
		wanted := s.frames[min(i, len(s.frames)-1)]
		t.Logf("shot %d: frame %d, wanted %d; %s, at %d ms, age %d ms, PSNR %.1f dB", i, n, wanted, facts.Accuracy, facts.TimestampMS, facts.AgeMS, psnr)
		if psnr < s.least() {
			t.Errorf("shot %d: PSNR %.1f dB, wanted at least %.0f", i, psnr, s.least())
		}
		if at := int64(n * 1000 / timedRate); i > 0 && facts.TimestampMS-shots[0].Stillcast.TimestampMS != at {
			t.Errorf("shot %d: frame %d at %d ms, wanted the first one's time and %d ms", i, n, facts.TimestampMS, at)
		}
		if n < wanted-s.near || n > wanted+s.near {
			err = fmt.Errorf("shot %d: frame %d, wanted %d ± %d", i, n, wanted, s.near)
		}
		// The first one may be a key frame in either mode.
		if i > 0 && facts.Accuracy != string(s.accuracy()) {
			err = fmt.Errorf("shot %d: %s, wanted %s", i, facts.Accuracy, s.accuracy())
		}
	}
	return err
}

func (s timed) accuracy() stillcast.Accuracy {
	if s.app == appExact {
		return stillcast.AccuracyExact
	}
	return stillcast.AccuracyKeyframe
}
