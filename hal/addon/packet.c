#include "addon.h"

void futago_register_packet(napi_env env, napi_value exports)
{
	(void)env;
	(void)exports;
}
