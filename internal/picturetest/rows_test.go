package picturetest

import (
	"fmt"

	"github.com/stillcast/stillcast/internal/testkit"
)

// table lists what is pushed: each codec's samples, then colours, sizes and structures.
func table() []row {
	var rows []row
	for _, part := range [][]row{
		h264Profiles(), h264Colors(), hevcRows(), av1Rows(), vp9Rows(), vp8Rows(), wideRows(), sizeRows(), structureRows(), turnedRows(), changeRows(),
	} {
		rows = append(rows, part...)
	}
	return rows
}

const (
	samples420 = "4:2:0, 8 bit"
	limited709 = "BT.709 limited"
	gopSecond  = "key frame each second"
)

func scene(width, height int, p testkit.Pattern) testkit.Scene {
	return testkit.Scene{Width: width, Height: height, Pattern: p}
}

func photo() testkit.Scene { return scene(640, 360, testkit.PatternPhoto) }

func sizeOf(s testkit.Scene) string { return fmt.Sprintf("%d×%d", s.Width, s.Height) }

// x264 encodes next to without loss, with a key frame each second and no B-frames. (Wholly without loss is a profile of
// its own.)
func x264(clip testkit.Clip, args ...string) testkit.Clip {
	clip.Codec = "libx264"
	clip.Args = append([]string{"-preset", "veryfast", "-qp", "1", "-g", "10", "-keyint_min", "10", "-sc_threshold", "0", "-bf", "0"}, args...)
	return clip
}

func x265(clip testkit.Clip, params string) testkit.Clip {
	clip.Codec = "libx265"
	clip.Args = []string{
		"-preset", "ultrafast", "-x265-params",
		"lossless=1:keyint=10:min-keyint=10:scenecut=0:bframes=0:open-gop=0:pools=none:log-level=error" + params,
	}
	return clip
}

// svtAV1 does not pass on the colours by itself.
func svtAV1(clip testkit.Clip) testkit.Clip {
	clip.Codec = "libsvtav1"
	clip.Args = []string{"-preset", "11", "-crf", "1", "-g", "10", "-svtav1-params", "lp=1", "-bsf:v", av1Colors(clip)}
	return clip
}

func aomAV1(clip testkit.Clip) testkit.Clip {
	clip.Codec = "libaom-av1"
	clip.Args = []string{"-usage", "realtime", "-cpu-used", "8", "-crf", "0", "-b:v", "0", "-g", "10", "-bsf:v", av1Colors(clip)}
	return clip
}

// av1Colors is the filter that writes the colours into the sequence header, in the numbers of ITU-T H.273.
func av1Colors(clip testkit.Clip) string {
	numbers := map[testkit.Matrix][3]int{testkit.BT601: {6, 6, 6}, testkit.BT2020: {9, 14, 9}, testkit.BT709: {1, 1, 1}, "": {1, 1, 1}}[clip.Matrix]
	switch {
	case clip.Untagged:
		numbers = [3]int{2, 2, 2}
	case clip.Curve == testkit.CurvePQ:
		numbers[1] = 16
	case clip.Curve == testkit.CurveHLG:
		numbers[1] = 18
	}
	span := "tv"
	if clip.FullRange {
		span = "pc"
	}
	return fmt.Sprintf("av1_metadata=color_primaries=%d:transfer_characteristics=%d:matrix_coefficients=%d:color_range=%s",
		numbers[0], numbers[1], numbers[2], span)
}

func vpxVP9(clip testkit.Clip) testkit.Clip {
	clip.Codec = "libvpx-vp9"
	clip.Args = []string{"-lossless", "1", "-deadline", "realtime", "-cpu-used", "8", "-g", "10"}
	return clip
}

// vpxVP8 has no lossless mode.
func vpxVP8(clip testkit.Clip) testkit.Clip {
	clip.Codec = "libvpx"
	clip.Args = []string{"-deadline", "good", "-cpu-used", "4", "-qmin", "0", "-qmax", "0", "-crf", "0", "-b:v", "200M", "-g", "10"}
	return clip
}

// samples names how the samples of a coding are laid out.
func samples(c testkit.Coding) string {
	depth := max(c.Depth, 8)
	switch c.Chroma {
	case testkit.ChromaNone:
		return fmt.Sprintf("grey, %d bit", depth)
	case testkit.ChromaRGB:
		return fmt.Sprintf("RGB, %d bit", depth)
	case testkit.Chroma422:
		return fmt.Sprintf("4:2:2, %d bit", depth)
	case testkit.Chroma444:
		return fmt.Sprintf("4:4:4, %d bit", depth)
	}
	return fmt.Sprintf("4:2:0, %d bit", depth)
}

// colors names how the colours of a clip are coded.
func colors(clip testkit.Clip) string {
	if clip.Chroma == testkit.ChromaRGB {
		return "no matrix, full"
	}
	name := map[testkit.Matrix]string{testkit.BT601: "BT.601", testkit.BT2020: "BT.2020"}[clip.Matrix]
	if name == "" {
		name = "BT.709"
	}
	if clip.FullRange {
		name += " full"
	} else {
		name += " limited"
	}
	switch clip.Curve {
	case testkit.CurvePQ:
		name += ", PQ"
	case testkit.CurveHLG:
		name += ", HLG"
	}
	if clip.Untagged {
		name += ", untagged"
	}
	return name
}

// with fills in a row's words from its clip.
func (r row) with(clip testkit.Clip) row {
	r.clip = clip
	if r.format == "" {
		r.format = samples(clip.Coding)
	}
	if r.colors == "" {
		r.colors = colors(clip)
	}
	if r.size == "" {
		r.size = sizeOf(clip.Scene)
	}
	if r.structure == "" {
		r.structure = gopSecond
	}
	return r
}

func h264Profiles() []row {
	var rows []row
	for _, p := range []struct {
		profile string
		coding  testkit.Coding
	}{
		{"baseline", testkit.Coding{}},
		{"main", testkit.Coding{}},
		{"high", testkit.Coding{}},
		{"high", testkit.Coding{Chroma: testkit.ChromaNone}},
		{"high10", testkit.Coding{Depth: 10}},
		{"high422", testkit.Coding{Chroma: testkit.Chroma422}},
		{"high422", testkit.Coding{Chroma: testkit.Chroma422, Depth: 10}},
		{"high444", testkit.Coding{Chroma: testkit.Chroma444}},
		{"high444", testkit.Coding{Chroma: testkit.Chroma444, Depth: 10}},
	} {
		clip := x264(testkit.Clip{Scene: photo(), Coding: p.coding}, "-profile:v", p.profile)
		rows = append(rows, row{codec: "H.264 " + p.profile}.with(clip))
	}
	rgb := x264(testkit.Clip{Scene: photo(), Coding: testkit.Coding{Chroma: testkit.ChromaRGB}})
	rgb.Codec = "libx264rgb"
	return append(rows, row{codec: "H.264 high444"}.with(rgb))
}

// h264Colors are all that 8 bit can say of its colours. What is not said follows from the size.
func h264Colors() []row {
	var rows []row
	for _, matrix := range []testkit.Matrix{testkit.BT601, testkit.BT709} {
		for _, full := range []bool{false, true} {
			for _, untagged := range []bool{false, true} {
				for _, pattern := range []testkit.Pattern{testkit.PatternBars, testkit.PatternPhoto} {
					clip := testkit.Clip{Scene: scene(640, 360, pattern), Coding: testkit.Coding{Matrix: matrix, FullRange: full}, Untagged: untagged}
					if matrix == testkit.BT709 && untagged {
						clip.Width, clip.Height = 1280, 720
					}
					rows = append(rows, row{codec: "H.264 high", note: pattern.String()}.with(x264(clip)))
				}
			}
		}
	}
	return rows
}
