package browser

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/ingest"
	"github.com/stillcast/stillcast/internal/testkit"
)

// The push domain of the scenes, and its key.
const (
	sceneDomain = "push.example.com"
	sceneKey    = "a key that nobody else has"
)

// scene is a stream as a platform may have it. All of its picture is drawn by ffmpeg.
type scene struct {
	app, name string
	graph     string // of ffmpeg's lavfi; "" for a stream that is heard only
	keyEvery  int    // pictures from one key frame to the next; 0 for one second's
}

const sceneRate = 5 // pictures per second

// scenes are what the screenshots show.
func scenes() []scene {
	return []scene{
		{app: "game", name: "night-racer", graph: race()},
		{app: "game", name: "life-lab", graph: "life=size=160x90:rate=5:mold=10:ratio=0.12:seed=7:death_color=0x7a1f5c:life_color=0x59f0c2:mold_color=0x1a1038," +
			"scale=640x360:flags=neighbor," + badge("GEN %{n}", 26, "white", "20", "16")},
		{app: "game", name: "fractal-dive", graph: "mandelbrot=size=320x180:rate=5:start_scale=0.6:end_scale=0.0005:end_pts=600:" +
			"start_x=-0.743643887:start_y=-0.131825904,scale=640x360"},
		// Its publisher sends a key frame once and never again.
		{app: "game", name: "speedrun", keyEvery: 100000, graph: "sierpinski=size=640x360:rate=5:jump=60,colorchannelmixer=rr=0.35:gg=0.55:bb=0.95," +
			badge("ANY PERCENT", 30, "0x7CFC00", "w-tw-20", "16")},
		{app: "show", name: "evening-news", graph: news()},
		{app: "show", name: "aurora-cam", graph: "gradients=size=640x360:rate=5:nb_colors=4:speed=0.03:c0=0x05162e:c1=0x18c08f:c2=0x3b2a86:c3=0x06283d:" +
			"x0=0:y0=0:x1=500:y1=350," + text("Tromsø  −4 °C", 22, "white", "20", "h-th-18")},
		{app: "show", name: "summit-cam", graph: mountains()},
		{app: "show", name: "backup-feed", graph: "smptehdbars=size=640x360:rate=5," + badge("BACKUP FEED  %{pts\\:hms}", 30, "white", "(w-tw)/2", "150")},
		{app: "show", name: "intermission", graph: "color=black:size=640x360:rate=5"},
		{app: "chat", name: "anna", graph: "gradients=size=360x640:rate=5:nb_colors=2:speed=0.3:c0=0x5b2a86:c1=0xe0559a," +
			dot(300, "white@0.25", "(w-tw)/2", "(h-th)/2+14*sin(t*3)") + "," + dot(240, "0x2b1b4d", "(w-tw)/2", "(h-th)/2") + "," +
			text("A", 96, "white", "(w-tw)/2", "(h-th)/2")},
		{app: "chat", name: "listening-party", graph: bars() + ",drawbox=y=300:width=640:height=60:color=0x0c1826:thickness=fill," + text("Now playing · Blue Hour", 24, "white", "24", "316")},
		{app: "chat", name: "lobby", graph: "color=0x23395b:size=640x360:rate=5," + text("Be right back", 56, "white", "(w-tw)/2", "130") + "," +
			text("The next round starts soon.", 26, "0xb8c7e0", "(w-tw)/2", "210")},
		{app: "体育", name: "足球决赛", graph: football()},
		{app: "体育", name: "乒乓球公开赛", graph: tableTennis()},
		{app: "radio", name: "jazz-fm"},
	}
}

// push begins a scene. The publisher is stopped with the test.
func (s scene) push(r *rig) *testkit.Process {
	u := ingest.PushURL{Stream: stillcast.Stream{Domain: sceneDomain, App: s.app, Name: s.name}}
	to := fmt.Sprintf("rtmp://%s/%s/%s?%s&vhost=%s", r.server.RTMPAddr(), s.app, s.name,
		ingest.SignedParam(sceneKey, u, time.Now().Add(24*time.Hour)), sceneDomain)
	args := []string{"-nostdin", "-loglevel", "error", "-re", "-f", "lavfi"}
	if s.graph == "" {
		args = append(args, "-i", "sine=frequency=220:sample_rate=44100", "-c:a", "aac")
	} else {
		every := s.keyEvery
		if every == 0 {
			every = sceneRate
		}
		args = append(args, "-i", s.graph, "-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-threads", "1", "-pix_fmt", "yuv420p",
			"-g", fmt.Sprint(every), "-sc_threshold", "0")
	}
	return testkit.Start(r.t, "ffmpeg", append(args, "-t", "900", "-f", "flv", to)...)
}

// text draws words; the commas and colons of expressions are the caller's to escape.
func text(words string, size int, color, x, y string) string {
	font := "Sans"
	if strings.ContainsFunc(words, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
		font = "WenQuanYi Micro Hei"
	}
	return fmt.Sprintf("drawtext=font=%s:text='%s':fontsize=%d:fontcolor=%s:x=%s:y=%s", font, words, size, color, x, y)
}

// badge draws words on a dark ground.
func badge(words string, size int, color, x, y string) string {
	return text(words, size, color, x, y) + ":box=1:boxcolor=black@0.5:boxborderw=8"
}

func dot(size int, color, x, y string) string { return text("●", size, color, x, y) }

func box(x, y, w, h int, color string) string {
	return fmt.Sprintf("drawbox=x=%d:y=%d:width=%d:height=%d:color=%s:thickness=fill", x, y, w, h, color)
}

// painted computes a picture point by point; r, g and b are expressions of ffmpeg's filter geq.
func painted(r, g, b string) string {
	return fmt.Sprintf("format=rgb24,geq=r='%s':g='%s':b='%s'", r, g, b)
}

// sway moves the camera.
const sway = "scale=800:450,crop=640:360:x=80+80*sin(t*1.3):y=45+45*cos(t*1.7)"

// race is a road that bends, small and enlarged as games once were.
func race() string {
	// 0: how far from the middle of the road, 1: how far along it, by lines.
	const road = "st(0,abs(X-80-12*sin(T*0.9)*(90-Y)/54));st(1,600/max(1,Y-33)+T*9);"
	part := func(sky, line, asphalt, kerb, otherKerb, grass string) string {
		return road + "if(lt(Y,36)," + sky + ",if(lt(ld(0),(Y-34)*1.3),if(lt(ld(0),(Y-34)*0.05)*lt(mod(ld(1),8),4)," + line + "," + asphalt +
			"),if(lt(ld(0),(Y-34)*1.55),if(lt(mod(ld(1),4),2)," + kerb + "," + otherKerb + ")," + grass + "+20*lt(mod(ld(1),10),5))))"
	}
	return "nullsrc=size=160x90:rate=5," + painted(
		part("20+Y", "250", "74", "220", "240", "30"),
		part("12+Y*1.2", "240", "74", "30", "240", "100"),
		part("70+Y*3", "80", "86", "40", "240", "48")) +
		",scale=640x360:flags=neighbor," + badge("LAP %{eif\\:1+mod(t/20,5)\\:d}/5   P2", 26, "white", "20", "16") + "," +
		badge("%{eif\\:212+18*sin(t/2)\\:d} km/h", 34, "0xffd54a", "w-tw-24", "h-th-20") + "," +
		strings.Join([]string{box(290, 280, 60, 30, "0xd22b2b"), box(300, 266, 40, 18, "0x222831"), box(280, 292, 14, 22, "black"), box(346, 292, 14, 22, "black")}, ",")
}

// news are shown by two cameras in turn.
func news() string {
	const other = "gt(mod(t\\,4)\\,2)"
	return "gradients=size=640x360:rate=5:nb_colors=3:speed=0.2:c0=0x0b2a5b:c1=0x1d6fb8:c2=0x0a1733," + strings.Join([]string{
		text("%{eif\\:18+4*sin(t/9)\\:d}°", 64, "white", "430-320*"+other, "95"),
		dot(150, "0xe8c39e", "118+300*"+other, "40"), dot(330, "0x1b2538", "60+300*"+other, "110"),
		box(0, 270, 640, 50, "0xb3131b"), text("EVENING NEWS", 30, "white", "20", "279"), box(0, 320, 640, 40, "white"),
		text("Harbour bridge open again  ·  Library extends its hours  ·  Mild and sunny until Friday", 22, "0x111111", "640-mod(t*50+500\\,1700)", "328"),
	}, ",")
}

// mountains turn round once in twenty seconds; what is seen fits at its ends.
func mountains() string {
	const near, far = "gt(Y,250+26*sin(X*PI/160)+14*sin(X*PI/40+1)+4*sin(X*PI/16))", "gt(Y,190+40*sin(X*PI/320+2)+18*sin(X*PI/64)+5*sin(X*PI/20))"
	part := func(front, back, sun, sky string) string {
		return "if(" + near + "," + front + ",if(" + far + "," + back + ",if(lt(hypot(X-420,Y-120),34)," + sun + "," + sky + ")))"
	}
	return "nullsrc=size=640x360:rate=5,trim=end_frame=1," +
		painted(part("22", "78", "255", "250-Y*0.25"), part("28", "62", "236", "110+Y*0.35"), part("44", "96", "190", "120+Y*0.1")) +
		",loop=loop=-1:size=1:start=0,setpts=N/5/TB,scroll=horizontal=0.01," + text("Summit cam · %{localtime\\:%H\\\\\\:%M\\\\\\:%S}", 22, "white", "20", "h-th-18")
}

// bars dance as those of an equaliser.
func bars() string {
	part := func(one, two, three, ground string) string {
		return "st(0,lt(Y,36)*lt(20-14*sin(T*(1.7+0.37*mod(X*7,5))+X),Y)*mod(X,2)*gt(X,3)*lt(X,37));" +
			"if(ld(0),if(mod(X,3),if(mod(X+1,3)," + one + "," + two + ")," + three + ")," + ground + ")"
	}
	return "nullsrc=size=40x45:rate=5," + painted(part("255", "239", "6", "14+Y+8*sin(T)"), part("209", "71", "214", "70+X"), part("102", "111", "160", "90+X*2-Y")) +
		",scale=640x360:flags=neighbor,setsar=1"
}

func football() string {
	const lines = "lt(abs(X-320),2)+lt(abs(hypot(X-320,Y-195)-60),2)+lt(abs(X-30),2)+lt(abs(X-610),2)+lt(abs(Y-60),2)+lt(abs(Y-335),2)+" +
		"lt(abs(X-110),2)*lt(abs(Y-195),70)+lt(abs(X-530),2)*lt(abs(Y-195),70)+lt(abs(abs(Y-195)-70),2)*gt(abs(X-320),210)"
	part := func(grass, otherGrass string) string {
		return "if(" + lines + ",235,if(mod(floor(X/64),2)," + grass + "," + otherGrass + "))"
	}
	parts := []string{"nullsrc=size=640x360:rate=5,trim=end_frame=1", painted(part("40", "54"), part("130", "148"), part("48", "60")), "loop=loop=-1:size=1:start=0,setpts=N/5/TB"}
	for i := range 11 {
		color := []string{"0x1b6fe0", "0xd7263d"}[i%2]
		parts = append(parts, dot(26, color, fmt.Sprintf("%d+30*sin(t/%d+%d)", 70+48*i, 2+i%3, i), fmt.Sprintf("%d+24*cos(t/%d+%d)", 90+i*97%210, 3-i%2, i)))
	}
	return strings.Join(append(parts, dot(14, "white", "310+220*sin(t/2)", "190+90*cos(t/1.7)"), sway,
		badge("红队 2 \\: 1 蓝队   %{eif\\:74+t/60\\:d}’", 24, "white", "30", "14")), ",")
}

func tableTennis() string {
	return "color=0x16324f:size=640x360:rate=5," + strings.Join([]string{
		box(86, 126, 468, 168, "white"), box(90, 130, 460, 160, "0x0f6cbf"), box(90, 208, 460, 3, "0xd8e6f5"), box(318, 110, 4, 196, "0xe8eef5"),
		dot(64, "0xd7263d", "50", "160+60*cos(t*1.3)"), dot(64, "0x222222", "545", "160-50*cos(t*1.3)"), dot(22, "0xffa62b", "315+215*sin(t*2.1)", "180+60*cos(t*1.3)"),
		sway, badge("第三局  9 \\: 7", 26, "white", "(w-tw)/2", "40"),
	}, ",")
}
