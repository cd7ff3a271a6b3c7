// Package testkit gives tests real publishers and pictures that say what they
// are: ffmpeg and GStreamer pushing real H.264 over real RTMP, FFmpeg 8 pushing
// HEVC, AV1 and VP9, files made by them, and sources whose every frame carries
// its own number, readable by machine after encoding, scaling and JPEG.
//
// [StartVersityGW] starts a real S3 server.
//
// It is for tests alone and must never be linked into the program; a layer rule
// and a test of the repository see to that. It needs ffmpeg, gst-launch-1.0 and
// node-av (scripts/setup.sh test) and fails where they are missing, since a test
// that is skipped tests nothing.
//
// A [Source] is drawn and coloured by ffmpeg, as a publisher's would be, and may
// be pushed without a file. A [Clip] is computed here, in any samples and
// colours, so that nothing of its pictures is unknown.
//
//	source := testkit.Source{Width: 1280, Height: 720, Strip: testkit.StripFrame}
//	push := testkit.PushFFmpeg(t, "rtmp://127.0.0.1:1935/live/a", source, testkit.Encoding{})
//	…
//	number, ok := testkit.ReadStrip(testkit.DecodeJPEG(t, shot))
//	want := testkit.ReferenceFrame(t, source, number)
//	psnr := testkit.PSNR(want, testkit.DecodeJPEG(t, shot))
package testkit
