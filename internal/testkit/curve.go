package testkit

import "math"

// Curve is the transfer function of high dynamic range, by ffmpeg's names. The
// scene is then what a screen of BT.709 shows of it, its white as bright as
// ITU-R BT.2408 wants the white of a page: 203 candela per square metre.
type Curve string

// The curves of ITU-R BT.2100.
const (
	CurvePQ  Curve = "smpte2084"
	CurveHLG Curve = "arib-std-b67"
)

const paperWhite = 203

// signal is what a colour of the scene is in the stream, before the matrix.
func (c Coding) signal(color rgb) rgb {
	if c.Curve == "" {
		return color
	}
	light := toBT2020(rgb{screen(color[0]), screen(color[1]), screen(color[2])})
	if c.Curve == CurvePQ {
		return rgb{pq(light[0]), pq(light[1]), pq(light[2])}
	}
	return hlg(light)
}

// screen is the light of an SDR screen (IEC 61966-2-1), in candela per square metre.
func screen(v float64) float64 {
	if v <= 0.04045 {
		return paperWhite * v / 12.92
	}
	return paperWhite * math.Pow((v+0.055)/1.055, 2.4)
}

// screenSignal is its inverse.
func screenSignal(light float64) float64 {
	v := max(light, 0) / paperWhite
	if v <= 0.0031308 {
		return 12.92 * v
	}
	return 1.055*math.Pow(v, 1/2.4) - 0.055
}

// hdrPeak is the brightest that the streams may be; they do not say it themselves, and this is what is usual.
const hdrPeak = 1000

// dimmed is what a picture without high dynamic range shows of a colour of the scene. The scene's white is already as
// bright as such a picture gets, and a stream of HDR may hold what is brighter: what is near to white makes room for it, by
// the curve of ITU-R BT.2390 (section 5.4.1) on the largest of red, green and blue of BT.2020.
func (c Coding) dimmed(color rgb) rgb {
	if c.Curve == "" {
		return color
	}
	light := rgb{screen(color[0]), screen(color[1]), screen(color[2])}
	wide := toBT2020(light)
	most := max(wide[0], wide[1], wide[2])
	if most <= 0 {
		return color
	}
	gain := compressed(most) / most
	return rgb{screenSignal(light[0] * gain), screenSignal(light[1] * gain), screenSignal(light[2] * gain)}
}

func compressed(light float64) float64 {
	scale := pq(hdrPeak)
	e, most := pq(light)/scale, pq(paperWhite)/scale
	knee := 1.5*most - 0.5
	if e < knee {
		return light
	}
	t := (e - knee) / (1 - knee)
	e = (2*t*t*t-3*t*t+1)*knee + (t*t*t-2*t*t+t)*(1-knee) + (-2*t*t*t+3*t*t)*most
	return pqLight(e * scale)
}

// toBT2020 expresses light of BT.709's primaries in those of BT.2020 (ITU-R BT.2087, equation 1).
func toBT2020(c rgb) rgb {
	return rgb{
		0.6274*c[0] + 0.3293*c[1] + 0.0433*c[2],
		0.0691*c[0] + 0.9195*c[1] + 0.0114*c[2],
		0.0164*c[0] + 0.0880*c[1] + 0.8956*c[2],
	}
}

// pq is the signal for a light in candela per square metre (ITU-R BT.2100, table 4).
func pq(light float64) float64 {
	const m1, m2 = 2610.0 / 16384, 2523.0 / 4096 * 128
	const c1, c2, c3 = 3424.0 / 4096, 2413.0 / 4096 * 32, 2392.0 / 4096 * 32
	y := math.Pow(max(light, 0)/10000, m1)
	return math.Pow((c1+c2*y)/(1+c3*y), m2)
}

// pqLight is its inverse.
func pqLight(signal float64) float64 {
	const m1, m2 = 2610.0 / 16384, 2523.0 / 4096 * 128
	const c1, c2, c3 = 3424.0 / 4096, 2413.0 / 4096 * 32, 2392.0 / 4096 * 32
	p := math.Pow(signal, 1/m2)
	return 10000 * math.Pow(max(p-c1, 0)/(c2-c3*p), 1/m1)
}

// hlg is the signal that a screen of 1000 candela per square metre shows as that light (ITU-R BT.2100, table 5).
func hlg(light rgb) rgb {
	const peak, gamma = 1000.0, 1.2
	luminance := (0.2627*light[0] + 0.6780*light[1] + 0.0593*light[2]) / peak
	if luminance <= 0 {
		return rgb{}
	}
	toScene := math.Pow(luminance, (1-gamma)/gamma) / peak
	return rgb{hlgSignal(light[0] * toScene), hlgSignal(light[1] * toScene), hlgSignal(light[2] * toScene)}
}

func hlgSignal(scene float64) float64 {
	const a, b, c = 0.17883277, 0.28466892, 0.55991073
	if scene <= 1.0/12 {
		return math.Sqrt(3 * max(scene, 0))
	}
	return a*math.Log(12*scene-b) + c
}
