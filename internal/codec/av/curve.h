#ifndef STILLCAST_CURVE_H
#define STILLCAST_CURVE_H

// Curves of light. Signals are 0 to 1; light is in cd/m² unless another unit is named.

// sc_pq_light is the light of a PQ signal, up to 10000 cd/m² (ITU-R BT.2100, table 4), sc_pq_signal the inverse.
double sc_pq_light(double signal);
double sc_pq_signal(double light);

// sc_hlg_scene is the light of the scene for an HLG signal, 0 to 1 (ITU-R BT.2100, table 5).
double sc_hlg_scene(double signal);

// sc_compress is the light that stands in a range up to white for light of a range up to peak: the same below a knee, less
// and less above it (ITU-R BT.2390, 5.4.1).
double sc_compress(double light, double peak, double white);

// sc_srgb_signal is the signal of light of 0 to 1 (IEC 61966-2-1).
double sc_srgb_signal(double light);

#endif
