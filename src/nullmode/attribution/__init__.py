"""Why a singular value is null."""
