package testkit

import (
	"fmt"
	"strings"
)

// Matrix names how a picture's luma and chroma are made of red, green and blue.
type Matrix string

// The matrices of broadcast video, by the names that ffmpeg gives them.
const (
	BT601  Matrix = "smpte170m" // standard definition
	BT709  Matrix = "bt709"     // high definition
	BT2020 Matrix = "bt2020nc"  // wide gamut
)

// Source is a picture source of ffmpeg, the same at every run: its frame n is
// always the same picture, but for [StripClock]. Pixels are 8 bit 4:2:0.
type Source struct {
	// Width and Height are the frame's size in pixels; zero means 1280 by 720.
	// ffmpeg's libx264 takes even sizes only.
	Width, Height int
	// Rate is the number of frames per second; zero means 30.
	Rate int
	// Pattern is a video source of ffmpeg's lavfi, with its options if need be
	// ("smptehdbars", "mandelbrot=start_scale=2"); empty means "testsrc2".
	Pattern string
	// Strip is what the machine-readable strip at the top holds; zero means no strip.
	Strip Strip
	// Clock draws the time since the start and the frame's number, for people.
	Clock bool
	// Matrix is how colours are coded and what the stream says about it; empty means BT709.
	Matrix Matrix
	// FullRange uses luma from 0 to 255 instead of 16 to 235.
	FullRange bool
}

func (s Source) withDefaults() Source {
	if s.Width == 0 && s.Height == 0 {
		s.Width, s.Height = 1280, 720
	}
	if s.Rate == 0 {
		s.Rate = 30
	}
	if s.Pattern == "" {
		s.Pattern = "testsrc2"
	}
	if s.Matrix == "" {
		s.Matrix = BT709
	}
	return s
}

// Graph is the source as a filter graph for ffmpeg's -f lavfi -i.
func (s Source) Graph() string {
	s = s.withDefaults()
	separator := "="
	if strings.Contains(s.Pattern, "=") {
		separator = ":"
	}
	graph := fmt.Sprintf("%s%ssize=%dx%d:rate=%d,format=yuv420p", s.Pattern, separator, s.Width, s.Height, s.Rate)
	if s.Strip != StripNone {
		graph = fmt.Sprintf("%s[strip];%s[picture];[picture][strip]overlay=0:0:format=yuv420", s.stripGraph(), graph)
	}
	if s.Clock {
		graph += `,drawtext=font=Sans:text='%{pts\:hms} %{n}':fontsize=h/10:x=(w-tw)/2:y=h-2*th` +
			`:box=1:boxborderw=8:fontcolor=black:boxcolor=white`
	}
	return graph + ",format=yuv420p,setparams=" + s.colorOptions(":", "range=", "colorspace=", "color_primaries=", "color_trc=")
}

// colorOptions lists what the frames say of their colours, each value after its key.
func (s Source) colorOptions(separator, rangeKey, matrixKey, primariesKey, transferKey string) string {
	return strings.Join([]string{
		rangeKey + s.rangeName(),
		matrixKey + string(s.Matrix),
		primariesKey + s.primaries(),
		transferKey + s.transfer(),
	}, separator)
}

// encoderColors are the same facts as options of an encoder: ffmpeg does not
// carry them over from the frames by itself.
func (s Source) encoderColors() []string {
	return strings.Fields(s.colorOptions(" ", "-color_range ", "-colorspace ", "-color_primaries ", "-color_trc "))
}

func (s Source) rangeName() string {
	if s.FullRange {
		return "pc"
	}
	return "tv"
}

func (s Source) primaries() string {
	if s.Matrix == BT2020 {
		return "bt2020"
	}
	return string(s.Matrix)
}

func (s Source) transfer() string {
	if s.Matrix == BT2020 {
		return "bt2020-10"
	}
	return string(s.Matrix)
}
