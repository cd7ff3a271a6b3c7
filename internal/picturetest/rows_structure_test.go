package picturetest

import (
	"image"
	"time"

	"github.com/stillcast/stillcast/internal/testkit"
)

// sizeRows have other sizes than usual, and pixels that are not square.
func sizeRows() []row {
	plain := func(s testkit.Scene) testkit.Clip { return testkit.Clip{Scene: s} }
	large := testkit.Clip{Scene: scene(3840, 2160, testkit.PatternPhoto), Rate: 5, Frames: 11}
	return []row{
		row{codec: "H.264 high"}.with(x264(plain(scene(1920, 1080, testkit.PatternPhoto)), "-preset", "ultrafast")),
		row{codec: "H.264 high", structure: "5 frames a second", shots: 1}.with(x264(large, "-preset", "ultrafast", "-g", "5", "-keyint_min", "5")),
		row{codec: "H.264 high", note: "portrait"}.with(x264(plain(scene(360, 640, testkit.PatternPhoto)))),
		row{codec: "H.264 high"}.with(x264(plain(scene(192, 96, testkit.PatternBars)))),
		row{codec: "H.264 high444"}.with(x264(testkit.Clip{
			Scene: scene(427, 241, testkit.PatternBars), Coding: testkit.Coding{Chroma: testkit.Chroma444},
		})),
		enhanced("AV1 main").with(aomAV1(plain(scene(427, 241, testkit.PatternBars)))),
		enhanced("VP9 profile 0").with(vpxVP9(plain(scene(853, 481, testkit.PatternBars)))),
		aspect("H.264 high", 480, 4, 3),
		aspect("H.264 high", 960, 2, 3),
	}
}

// aspect is a row whose pixels are num:den wide, so that 640x360 is shown. What is scaled is compared below the strip,
// whose hard edges are where scalers differ.
func aspect(codec string, width, num, den int) row {
	coded, shown := scene(width, 360, testkit.PatternSmooth), scene(640, 360, testkit.PatternSmooth)
	coded.NoBox, shown.NoBox = true, true
	clip := x264(testkit.Clip{Scene: coded, Filter: "setsar=" + ratio(num, den)})
	r := row{codec: codec, note: "pixels of " + ratio(num, den) + ", shown as 640×360; compared with 640×360, below the strip", below: true}
	r.frame = func(n int, _ image.Point) image.Image { return shown.Frame(n) }
	return r.with(clip)
}

func ratio(num, den int) string { return string(rune('0'+num)) + "/" + string(rune('0'+den)) }

// structureRows are other orders of frames.
func structureRows() []row {
	clip := testkit.Clip{Scene: scene(320, 180, testkit.PatternPhoto)}
	longer := clip
	longer.Frames = 40
	h264 := func(structure string, c testkit.Clip, args ...string) row {
		return row{codec: "H.264 high", structure: structure}.with(x264(c, args...))
	}
	vfr := longer
	vfr.Filter = "select='gt(mod(n,10),4)'"
	return []row{
		h264("key frame each 2 s", clip, "-g", "20"),
		h264("B-pyramid", clip, "-bf", "3", "-x264-params", "b-pyramid=normal:b-adapt=0"),
		h264("open GOP", longer, "-bf", "2", "-x264-params", "open-gop=1:b-adapt=0"),
		h264("intra refresh, one IDR", longer, "-x264-params", "intra-refresh=1"),
		h264("eight slices", clip, "-x264-params", "slices=8"),
		h264("variable frame rate", vfr, "-fps_mode", "vfr", "-force_key_frames", "expr:gte(t,n_forced)"),
		interlaced(),
		h264("no loop filter, CAVLC", clip, "-x264-params", "no-deblock=1:cabac=0"),
		enhanced("HEVC main").structured("B-pyramid", x265(clip, ":bframes=3:b-pyramid=1:b-adapt=0")),
		enhanced("HEVC main").structured("open GOP", x265(clip, ":bframes=2:open-gop=1:b-adapt=0")),
	}
}

func (r row) structured(structure string, clip testkit.Clip) row {
	r.structure = structure
	return r.with(clip)
}

// interlaced shows two moments in each frame; a picture shows one of them.
func interlaced() row {
	s := scene(640, 360, testkit.PatternSmooth)
	s.Interlaced = true
	r := row{
		codec: "H.264 high", structure: "interlaced", below: true,
		note: "compared with the field of the even rows, below the strip",
	}
	return r.with(x264(testkit.Clip{Scene: s}, "-flags", "+ildct+ilme", "-x264-params", "tff=1"))
}

// turned is a stream that asks to be turned or mirrored when shown.
func turned(structure, option string, back turn) row {
	r := row{codec: "H.264 high", structure: structure, note: "by display orientation SEI; turned back to be compared"}
	r.upright = back.undo
	// Only beside another SEI message, that of pic-struct, does ffmpeg's filter put its own in front of the picture.
	return r.with(x264(testkit.Clip{Scene: photo()}, "-x264-params", "pic-struct=1", "-bsf:v", "h264_metadata=display_orientation=insert:"+option))
}

// turn says how a picture was turned.
type turn struct {
	right bool // by a right angle: width and height change places
	// at is where a pixel of the upright picture of w by h is in the turned one.
	at func(w, h, x, y int) (int, int)
}

func (t turn) undo(img image.Image) image.Image {
	b := img.Bounds()
	size := b.Size()
	if t.right {
		size.X, size.Y = size.Y, size.X
	}
	out := image.NewRGBA(image.Rectangle{Max: size})
	for y := range size.Y {
		for x := range size.X {
			tx, ty := t.at(size.X, size.Y, x, y)
			out.Set(x, y, img.At(b.Min.X+tx, b.Min.Y+ty))
		}
	}
	return out
}

func turnedRows() []row {
	return []row{
		turned("turned left by 90°", "rotate=90", turn{true, func(w, _, x, y int) (int, int) { return y, w - 1 - x }}),
		turned("turned by 180°", "rotate=180", turn{false, func(w, h, x, y int) (int, int) { return w - 1 - x, h - 1 - y }}),
		turned("turned right by 90°", "rotate=270", turn{true, func(_, h, x, y int) (int, int) { return h - 1 - y, x }}),
		turned("mirrored", "flip=horizontal", turn{false, func(w, _, x, y int) (int, int) { return w - 1 - x, y }}),
		turned("upside down, mirrored", "flip=vertical", turn{false, func(_, h, x, y int) (int, int) { return x, h - 1 - y }}),
	}
}

// changeRows change in mid-push, which only our own client can be made to do.
func changeRows() []row {
	large := x264(testkit.Clip{Scene: photo(), Frames: 16})
	small := x264(testkit.Clip{Scene: scene(320, 180, testkit.PatternBars), Frames: 20})
	vp8Small := vp8(row{}, scene(320, 180, testkit.PatternBars))
	either := func(n int, size image.Point) image.Image {
		if size.X == large.Width {
			return large.Frame(n)
		}
		return small.Frame(n)
	}
	long := x264(testkit.Clip{Scene: photo(), Frames: 28})
	jump := func(by time.Duration) func(maker) []testkit.Tag {
		return func(m maker) []testkit.Tag { return jumping(m.flv(long), by) }
	}
	own := func(codec, size, structure string, tags func(maker) []testkit.Tag) row {
		r := row{codec: codec, size: size, structure: structure, push: byOwn, tags: tags, frame: either}
		return r.with(large)
	}
	changed := own("H.264 high, then VP8", "640×360, then 320×180", "another codec after 1.6 s", func(m maker) []testkit.Tag {
		return testkit.Then(m.flv(large), vp8Small.tags(m))
	})
	changed.colors = "BT.709 limited, then BT.601"
	return []row{
		own("H.264 high", "640×360, then 320×180", "another size after 1.6 s", func(m maker) []testkit.Tag {
			return testkit.Then(m.flv(large), m.flv(small))
		}),
		changed,
		own("H.264 high", "", "timestamps jump ahead by an hour", jump(time.Hour)),
		own("H.264 high", "", "timestamps jump back by 30 s", jump(-30*time.Second)),
		own("H.264 high", "", "all timestamps are zero", func(m maker) []testkit.Tag {
			tags := m.flv(long)
			for i := range tags {
				tags[i].Timestamp = 0
			}
			return tags
		}),
	}
}

// jumping moves the timestamps of a stream after its first second. It begins at one minute.
func jumping(tags []testkit.Tag, by time.Duration) []testkit.Tag {
	for i := range tags {
		at := tags[i].At + time.Minute
		if tags[i].At >= time.Second {
			at += by
		}
		tags[i].Timestamp = uint32(at.Milliseconds()) //nolint:gosec // it is small
	}
	return tags
}
