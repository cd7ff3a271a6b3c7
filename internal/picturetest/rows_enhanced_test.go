package picturetest

import "github.com/stillcast/stillcast/internal/testkit"

// enhanced is a row that is pushed as Enhanced RTMP.
func enhanced(codec string) row { return row{codec: codec, push: byFFmpeg8, container: "mp4"} }

func hevcRows() []row {
	var rows []row
	for _, p := range []struct {
		profile string
		coding  testkit.Coding
	}{
		{"main", testkit.Coding{}},
		{"main", testkit.Coding{Matrix: testkit.BT601, FullRange: true}},
		{"main10", testkit.Coding{Depth: 10}},
		{"main10", testkit.Coding{Depth: 10, FullRange: true}},
		{"main10", testkit.Coding{Depth: 10, Matrix: testkit.BT2020}},
		{"main12", testkit.Coding{Depth: 12}},
		{"main 4:2:2 10", testkit.Coding{Depth: 10, Chroma: testkit.Chroma422}},
		{"main 4:4:4", testkit.Coding{Chroma: testkit.Chroma444}},
		{"main 4:4:4 10", testkit.Coding{Depth: 10, Chroma: testkit.Chroma444}},
		{"main 4:4:4 12", testkit.Coding{Depth: 12, Chroma: testkit.Chroma444}},
		{"main 4:4:4", testkit.Coding{Chroma: testkit.ChromaRGB}},
		{"monochrome", testkit.Coding{Chroma: testkit.ChromaNone}},
	} {
		rows = append(rows, enhanced("HEVC "+p.profile).with(x265(testkit.Clip{Scene: photo(), Coding: p.coding}, "")))
	}
	return rows
}

func av1Rows() []row {
	var rows []row
	for _, coding := range []testkit.Coding{
		{}, {Matrix: testkit.BT601}, {FullRange: true}, {Depth: 10}, {Depth: 10, Matrix: testkit.BT2020},
	} {
		rows = append(rows, enhanced("AV1 main").with(svtAV1(testkit.Clip{Scene: photo(), Coding: coding})))
	}
	for _, p := range []struct {
		profile string
		coding  testkit.Coding
	}{
		{"main", testkit.Coding{Chroma: testkit.ChromaNone}},
		{"high", testkit.Coding{Chroma: testkit.Chroma444}},
		{"professional", testkit.Coding{Depth: 10, Chroma: testkit.Chroma422}},
		{"professional", testkit.Coding{Depth: 12}},
	} {
		clip := testkit.Clip{Scene: scene(320, 180, testkit.PatternSmooth), Coding: p.coding}
		rows = append(rows, enhanced("AV1 "+p.profile).with(aomAV1(clip)))
	}
	return rows
}

func vp9Rows() []row {
	var rows []row
	for _, p := range []struct {
		profile string
		clip    testkit.Clip
	}{
		{"0", testkit.Clip{}},
		{"0", testkit.Clip{Coding: testkit.Coding{Matrix: testkit.BT601}}},
		{"0", testkit.Clip{Coding: testkit.Coding{FullRange: true}}},
		{"0", testkit.Clip{Coding: testkit.Coding{Matrix: testkit.BT601}, Untagged: true}},
		{"1", testkit.Clip{Coding: testkit.Coding{Chroma: testkit.Chroma422}}},
		{"1", testkit.Clip{Coding: testkit.Coding{Chroma: testkit.Chroma444}}},
		{"1", testkit.Clip{Coding: testkit.Coding{Chroma: testkit.ChromaRGB}}},
		{"2", testkit.Clip{Coding: testkit.Coding{Depth: 10}}},
		{"2", testkit.Clip{Coding: testkit.Coding{Depth: 10, Matrix: testkit.BT2020}}},
		{"2", testkit.Clip{Coding: testkit.Coding{Depth: 12}}},
		{"3", testkit.Clip{Coding: testkit.Coding{Depth: 10, Chroma: testkit.Chroma422}}},
		{"3", testkit.Clip{Coding: testkit.Coding{Depth: 12, Chroma: testkit.Chroma444}}},
	} {
		p.clip.Scene = photo()
		rows = append(rows, enhanced("VP9 profile "+p.profile).with(vpxVP9(p.clip)))
	}
	return rows
}

// vp8Rows are pushed by our own client: FFmpeg 8 has no VP8 in FLV. VP8 knows BT.601 only.
func vp8Rows() []row {
	return []row{
		vp8(row{codec: "VP8"}, scene(640, 360, testkit.PatternPhoto)),
		vp8(row{codec: "VP8"}, scene(427, 241, testkit.PatternBars)),
	}
}

func vp8(r row, s testkit.Scene) row {
	clip := vpxVP8(testkit.Clip{Scene: s, Coding: testkit.Coding{Matrix: testkit.BT601}, Untagged: true})
	r.push = byOwn
	r.note = s.Pattern.String()
	r.tags = func(m maker) []testkit.Tag { return m.ivf(clip) }
	return r.with(clip)
}

// wideRows are wide gamut and high dynamic range.
func wideRows() []row {
	sdr := func(full bool) testkit.Clip {
		return testkit.Clip{Scene: photo(), Coding: testkit.Coding{Matrix: testkit.BT2020, FullRange: full}}
	}
	hdr := func(curve testkit.Curve) testkit.Clip {
		return testkit.Clip{Scene: scene(640, 360, testkit.PatternSmooth), Coding: testkit.Coding{Matrix: testkit.BT2020, Depth: 10, Curve: curve}}
	}
	return []row{
		row{codec: "H.264 high"}.with(x264(sdr(false))),
		row{codec: "H.264 high"}.with(x264(sdr(true))),
		enhanced("HEVC main10").with(x265(hdr(testkit.CurvePQ), "")),
		enhanced("HEVC main10").with(x265(hdr(testkit.CurveHLG), "")),
		enhanced("AV1 main").with(svtAV1(hdr(testkit.CurvePQ))),
		enhanced("AV1 main").with(svtAV1(hdr(testkit.CurveHLG))),
	}
}
