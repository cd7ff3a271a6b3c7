package publish

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast/internal/media/flv"
)

// placed is where a timeline puts a tag: timestamp and due time in ms.
type placed struct {
	timestamp uint32
	due       int64
}

func at(kind flv.TagType, timestamp uint32, data ...byte) flv.Tag {
	return flv.Tag{Type: kind, Timestamp: timestamp, Data: data}
}

func video(timestamp uint32) flv.Tag  { return at(flv.Video, timestamp, 0x27, 1) }
func audio(timestamp uint32) flv.Tag  { return at(flv.Audio, timestamp, 0xAF, 1) }
func config(timestamp uint32) flv.Tag { return at(flv.Video, timestamp, 0x17, 0) }
func script(timestamp uint32) flv.Tag { return at(flv.Script, timestamp, 0x02) }

func TestTimeline(t *testing.T) {
	const wrap = 0xFFFFFFFF
	tests := []struct {
		name  string
		tags  []flv.Tag
		loops int
		want  []placed
	}{
		{
			"one pass",
			[]flv.Tag{script(0), config(0), video(0), audio(5), video(40)},
			1,
			[]placed{{0, 0}, {0, 0}, {0, 0}, {5, 5}, {40, 40}},
		},
		{
			"frames begin late: nothing waits for them",
			[]flv.Tag{script(0), config(0), video(17_000_000), video(17_000_040)},
			1,
			[]placed{{0, 0}, {0, 0}, {17_000_000, 0}, {17_000_040, 40}},
		},
		{
			"loop: everything goes on one frame after the last",
			[]flv.Tag{config(0), video(1000), video(1040), video(1080)},
			3,
			slices.Concat(
				[]placed{{0, 0}, {1000, 0}, {1040, 40}, {1080, 80}},
				[]placed{{1120, 120}, {1120, 120}, {1160, 160}, {1200, 200}},
				[]placed{{1240, 240}, {1240, 240}, {1280, 280}, {1320, 320}},
			),
		},
		{
			"loop: the longer track says when",
			[]flv.Tag{video(0), audio(0), audio(23), video(40), audio(46)},
			2,
			[]placed{{0, 0}, {0, 0}, {23, 23}, {40, 40}, {46, 46}, {80, 80}, {80, 80}, {103, 103}, {120, 120}, {126, 126}},
		},
		{
			"loop of one frame",
			[]flv.Tag{video(7)},
			3,
			[]placed{{7, 0}, {47, 40}, {87, 80}},
		},
		{
			"loop of frames that all have one timestamp still takes time",
			[]flv.Tag{video(7), video(7)},
			2,
			[]placed{{7, 0}, {7, 0}, {8, 1}, {8, 1}},
		},
		{
			"timestamps wrap",
			[]flv.Tag{video(wrap - 9), video(30), script(30)},
			2,
			[]placed{{wrap - 9, 0}, {30, 40}, {30, 40}, {70, 80}, {110, 120}, {110, 120}},
		},
		{
			"audio a little before video",
			[]flv.Tag{video(100), audio(90), video(140)},
			1,
			[]placed{{100, 0}, {90, -10}, {140, 40}},
		},
		{
			"a file whose clock starts anew is not sent at once",
			[]flv.Tag{video(2_147_483_640), video(0), video(40)},
			1,
			[]placed{{2_147_483_640, 0}, {0, 0}, {40, 40}},
		},
		{
			"a gap stays",
			[]flv.Tag{video(0), video(60_000)},
			1,
			[]placed{{0, 0}, {60_000, 60_000}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var line timeline
			var got []placed
			for range tt.loops {
				for _, tag := range tt.tags {
					timestamp, due := line.place(tag)
					got = append(got, placed{timestamp, int64(due / time.Millisecond)})
				}
				if !line.loop() {
					t.Fatal("loop said that there were no frames")
				}
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(placed{})); diff != "" {
				t.Errorf("placed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTimelineWithoutFrames(t *testing.T) {
	var line timeline
	line.place(script(0))
	line.place(config(0))
	if line.loop() {
		t.Error("loop would go round without taking time")
	}
}
