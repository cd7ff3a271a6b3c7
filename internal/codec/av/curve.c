#include "curve.h"

#include <math.h>

static const double pq_m1 = 2610.0 / 16384, pq_m2 = 2523.0 / 32;
static const double pq_c1 = 3424.0 / 4096, pq_c2 = 2413.0 / 128, pq_c3 = 2392.0 / 128;
static const double pq_peak = 10000;

double sc_pq_light(double signal)
{
    double p = pow(signal, 1 / pq_m2);
    return pq_peak * pow(fmax(p - pq_c1, 0) / (pq_c2 - pq_c3 * p), 1 / pq_m1);
}

double sc_pq_signal(double light)
{
    double p = pow(light / pq_peak, pq_m1);
    return pow((pq_c1 + pq_c2 * p) / (1 + pq_c3 * p), pq_m2);
}

double sc_hlg_scene(double signal)
{
    static const double a = 0.17883277, b = 0.28466892, c = 0.55991073;
    return signal <= 0.5 ? signal * signal / 3 : (exp((signal - c) / a) + b) / 12;
}

double sc_compress(double light, double peak, double white)
{
    double most = sc_pq_signal(peak), target = sc_pq_signal(white) / most;
    double in = fmin(sc_pq_signal(light) / most, 1), knee = 1.5 * target - 0.5;
    if (peak <= white || in <= knee) {
        return light;
    }
    double t = (in - knee) / (1 - knee), t2 = t * t, t3 = t2 * t;
    double out = (2 * t3 - 3 * t2 + 1) * knee + (t3 - 2 * t2 + t) * (1 - knee) + (3 * t2 - 2 * t3) * target;
    return sc_pq_light(out * most);
}

double sc_srgb_signal(double light)
{
    return light <= 0.0031308 ? 12.92 * light : 1.055 * pow(light, 1 / 2.4) - 0.055;
}
