#include "addon.h"

void futago_register_machine(napi_env env, napi_value exports)
{
	(void)env;
	(void)exports;
}
